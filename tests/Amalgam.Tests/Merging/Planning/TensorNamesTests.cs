using Amalgam.Merging.Planning;

namespace Amalgam.Tests.Merging.Planning;

public class TensorNamesTests
{
    [Theory]
    [InlineData("shared.weight", true)]
    [InlineData("model.embed_tokens.weight", true)]
    [InlineData("encoder.embedding.weight", true)]
    [InlineData("tokenEmbedding.weight", true)]
    [InlineData("patch_embed1.proj.weight", true)]
    [InlineData("stem.conv.weight", true)]
    [InlineData("conv1.weight", true)]
    [InlineData("cls_token", true)]
    [InlineData("system.weight", false)]
    [InlineData("unembed.weight", false)]
    [InlineData("conv10.weight", false)]
    [InlineData("cls.weight", false)]
    [InlineData("dispatch.weight", false)]
    [InlineData("embed_out.weight", false)]
    [InlineData("norm.weight", false)]
    public void Whole_words_say_what_stands_before_the_layers(string name, bool isBefore) => Assert.Equal(isBefore, TensorNames.IsBeforeLayers(name));
}
