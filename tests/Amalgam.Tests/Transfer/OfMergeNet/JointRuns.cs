using System.Text;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>A small run of two networks that teach each other, for the tests of its state.</summary>
internal static class JointRuns
{
    public static readonly TrainingOptions Options = new() { Rule = new AdamW(), Rate = 0.01, Schedule = new CosineRate(), Epochs = 4, Batch = 16, Seed = 3 };

    public static JointTraining Create(string? path, string description = "d", int transfers = 2, int cycle = 2)
    {
        Learner Of(string name, int seed) => JointTrainingTests.Mlp(name, seed, Options) with { Validation = Samples.Of("mlp", 9, 31).Data };
        KnowledgeTransfer[] both = [JointTrainingTests.Transfer("a", "b", cycle), JointTrainingTests.Transfer("b", "a", 3) with { Rule = AdapterRule.ChainRule }];
        return new([Of("a", 1) with { StepsPerRound = 2 }, Of("b", 2)], both.Take(transfers), new() { StatePath = path, Description = description });
    }

    /// <summary>Changes text of a safetensors file's header, which keeps its length.</summary>
    public static void Replace(string path, string found, string changed)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int length = (int)BitConverter.ToInt64(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length), mended = header.Replace(found, changed, StringComparison.Ordinal).TrimEnd();
        Assert.Contains(found, header);
        byte[] text = Encoding.UTF8.GetBytes(mended.PadRight(length + (8 - length % 8) % 8 + 8));
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, .. bytes.AsSpan(8 + length)]);
    }
}

/// <summary>Hears of a run, as a command line does, and stops it after a number of rounds.</summary>
internal sealed class After(int rounds, CancellationTokenSource? stop) : IProgress<JointProgress>
{
    public void Report(JointProgress value)
    {
        if (value.Round == rounds) stop?.Cancel();
    }
}
