using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Names of networks are folders beside the files of a run, on every system.</summary>
public class TransferNamesTests
{
    private static string Of(string a, string b) => $"lr: 0.1\nepochs: 1\ndata: glyphs\nmodels:\n  {a}: {{model: {{name: mlp, hidden: [4]}}}}\n  {b}: {{model: {{name: mlp, hidden: [4]}}}}\n";

    private static string Refusal(string a, string b) => Assert.Throws<InvalidDataException>(() => TransferDescription.Parse(Of(a, b), "run.yml")).Message;

    public static TheoryData<string> Files => [.. TransferFolder.All];

    [Theory]
    [MemberData(nameof(Files))]
    public void No_network_is_called_as_a_file_of_the_run(string file)
    {
        foreach (string name in (string[])[file, file.ToUpperInvariant(), file + ".tmp", file + ".partial"])
            Assert.Equal($"run.yml:6:3: a folder gets the name of each model, and '{name}' is a file that the run writes beside; name this one otherwise", Refusal("a", name));
    }

    [Theory]
    [InlineData("con")]
    [InlineData("NUL")]
    [InlineData("Com1.b")]
    [InlineData("lpt9")]
    public void No_network_is_called_as_a_device_of_Windows(string name) => Assert.StartsWith("run.yml:6:3: a folder gets the name of each model, and Windows has a device", Refusal("a", name), StringComparison.Ordinal);

    [Fact]
    public void Names_differ_by_more_than_case()
    {
        Assert.StartsWith("run.yml:6:3: the models 'net' and 'Net' differ by upper and lower case alone", Refusal("net", "Net"), StringComparison.Ordinal);
        Assert.Contains("neither begins nor ends with '.'", Refusal("a", "b."), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("console")]
    [InlineData("com")]
    [InlineData("report")]
    [InlineData("com10")]
    public void Names_that_only_look_alike_are_taken(string name) => Assert.Equal(["a", name], TransferDescription.Parse(Of("a", name), "run.yml").Models.Select(model => model.Name));
}
