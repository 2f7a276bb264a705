using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Docs;

/// <summary>The transfer descriptions beside the pages.</summary>
public class TransferExampleTests
{
    private static readonly string Folder = Path.Combine(Document.Root, "docs", "examples", "transfer");

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "*.yml").Select(f => Path.GetFileName(f)).Order()];

    [Theory, MemberData(nameof(Names))]
    public void A_run_can_begin_as_it_is_described(string name)
    {
        TransferDescription described = TransferDescription.Read(Path.Combine(Folder, name));
        if (described.Models.Any(model => model.Run?.Data.Name != "glyphs")) Environment.SetEnvironmentVariable("AMALGAM_DATA", RealData.At());
        TransferPlan plan = new(described);
        Assert.True(plan.Begin().Rounds > 0);
        foreach (TransferMember member in plan.Members)
            Assert.All(Predictions.Of(member.Learner.Network, Amalgam.Training.Data.Subset.First(member.Data!.Test!, 3), 3).Span.ToArray(), score => Assert.True(float.IsFinite(score)));
    }

    /// <summary>The page shows the same descriptions.</summary>
    [Theory]
    [InlineData("glyphs.yml")]
    [InlineData("teachers.yml")]
    public void The_page_shows_the_example(string name)
    {
        string page = File.ReadAllText(Path.Combine(Document.Root, "docs", "transfer.md")), text = File.ReadAllText(Path.Combine(Folder, name));
        Assert.Contains($"```yaml\n{string.Concat(text.Split('\n').Where(line => !line.StartsWith('#')).Select(line => line + "\n")).Trim()}\n```", page);
    }
}
