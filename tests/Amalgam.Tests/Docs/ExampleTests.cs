using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Docs;

/// <summary>The run descriptions beside the pages.</summary>
public class ExampleTests
{
    public static TheoryData<string> Names => [.. Directory.GetFiles(Path.Combine(Document.Root, "docs", "examples"), "*.yml").Select(f => Path.GetFileName(f)).Order()];

    [Theory, MemberData(nameof(Names))]
    public void A_run_can_begin_as_it_is_described(string name)
    {
        Environment.SetEnvironmentVariable("AMALGAM_DATA", RealData.At());
        RunDescription run = RunDescription.Read(Path.Combine(Document.Root, "docs", "examples", name));
        RunData data = RunData.Open(run.Data);
        Graph network = ModelLoader.Build(run.Model, 2, run.Seed, data.Train);
        Tensor scores = Predictions.Of(network, Amalgam.Training.Data.Subset.First(data.Validation!, 5), 5);
        Assert.Equal(new(5, data.Train!.Classes.IsEmpty ? network.Outputs.Values.First().Shape[1] : data.Train.Classes.Length), scores.Shape);
        if (data.Train.Classes.IsEmpty) Assert.NotEmpty(Measure.Of(Predictions.Of(network, data.Validation!, 100), data.Validation!, []));
        Assert.All(scores.Span.ToArray(), score => Assert.True(float.IsFinite(score)));
        Assert.Contains($"{network.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count) / 1e6:0.00} million", File.ReadAllText(Path.Combine(Document.Root, "docs", "examples", name)));
    }
}
