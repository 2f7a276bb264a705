using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

public class ModelReferenceTests
{
    [Theory]
    [InlineData("models/a", "models/a", null, null, null)]
    [InlineData("a/b@main", "a/b", "main", null, null)]
    [InlineData("a+c", "a", null, "c", null)]
    [InlineData("a@1+c@2", "a", "1", "c", "2")]
    public void Reads_the_short_form(string text, string path, string? revision, string? lora, string? loraRevision)
    {
        var model = ModelReference.Parse(text);

        Assert.Equal((path, revision, lora, loraRevision), (model.Path, model.Revision, model.Lora?.Path, model.Lora?.Revision));
        Assert.Equal(text, model.Text);
        Assert.Equal(text, model.ToString());
    }

    [Fact]
    public void The_long_form_equals_the_short_one()
    {
        const string Long = "{model: {path: a, revision: '1'}, lora: {path: c, revision: '2'}}";

        Assert.Equal(ModelReference.Parse("a@1+c@2"), Read(Long));
        Assert.Equal(ModelReference.Parse("a@1+c@2").GetHashCode(), Read(Long).GetHashCode());
        Assert.Equal("a@1+c@2", Read(Long).Text);
        Assert.Equal(ModelReference.Parse("a@1"), Read("{model: a@1}"));
        Assert.NotEqual(ModelReference.Parse("a"), ModelReference.Parse("a@1"));
    }

    [Fact]
    public void The_long_form_takes_a_path_with_any_characters() => Assert.Equal("x@y@z+1+2", Read("{model: {path: x@y@z+1+2}}").Path);

    [Theory]
    [InlineData("a@1@2", "more than one '@'")]
    [InlineData("a+b@1@2", "more than one '@'")]
    [InlineData("a+b+c", "more than one '+'")]
    [InlineData("a@", "empty part")]
    [InlineData("+a", "empty part")]
    [InlineData("''", "empty part")]
    [InlineData("{lora: a}", "needs 'model'")]
    [InlineData("{model: {revision: a}}", "needs 'path'")]
    [InlineData("{model: a+b}", "name the adapter under lora")]
    [InlineData("{path: a}", "'path' belongs to a model path")]
    [InlineData("[a]", "expected a model, path[@revision]")]
    public void Refuses_what_names_no_model(string model, string phrase)
    {
        string message = Assert.Throws<MergeException>(() => Read(model)).Message;

        Assert.StartsWith("r.yml:1:", message);
        Assert.Contains(phrase, message);
    }

    private static ModelReference Read(string model) =>
        RecipeFile.Parse($"{{base_model: {model}, merge_method: passthrough, models: [{{model: m}}]}}", "r.yml")[0].BaseModel!;
}
