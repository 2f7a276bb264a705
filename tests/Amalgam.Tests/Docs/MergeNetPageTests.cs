using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Amalgam.Graphs;
using Amalgam.Tests.Training;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Docs;

public class MergeNetPageTests
{
    private static readonly Document Page = new("docs/mergenet.md");

    [Fact]
    public void The_code_does_what_the_text_says()
    {
        TrainingOptions options = new() { Batch = 20, Epochs = 2, Rate = 0.1 };
        Learner large = new("large", new Mlp([2], [20, 10], 2).Build(1, 1), new CrossEntropy(), NaiveNetwork.Rings(100, 1), options);
        Learner small = new("small", new Mlp([2], [8], 2).Build(1, 2), new CrossEntropy(), NaiveNetwork.Rings(100, 2), options);
        Assert.Equal(small.Network.ToString(), Taught(large, small).ToString());
    }

    [Fact]
    public void The_code_is_that_of_the_method_below()
    {
        string source = File.ReadAllText(ThisFile()).ReplaceLineEndings("\n");
        string body = Regex.Match(source, @"    private static Graph Taught\(Learner large, Learner small\)\n    \{\n(.*?)\n        return taught;\n    \}\n", RegexOptions.Singleline).Groups[1].Value;
        string found = Assert.Single(Page.Blocks("csharp"));
        Page.Agrees($"```csharp\n{found}```", found, Regex.Replace(body, "^        ", "", RegexOptions.Multiline) + "\n");
    }

    private static Graph Taught(Learner large, Learner small)
    {
        TransferMatrix source = new("large", WeightMatrix.Of(large.Network, "fc3.weight")), target = new("small", WeightMatrix.Of(small.Network, "fc2.weight"));
        JointTraining joint = new([large, small], [new(source, target, new LowRankAdapter { Heads = 4 }, cycle: 4)]);
        joint.Run();
        Graph taught = joint.NetworkOf("small");
        foreach (double[] layer in joint.HistoryOf(0)[^1].Mixing.Select(omega => omega.ToArray())) Console.WriteLine($"RR {layer[0]:0.00}, RC {layer[1]:0.00}, CR {layer[2]:0.00}, CC {layer[3]:0.00}");
        return taught;
    }

    [Fact]
    public void Defaults_of_the_adapter_are_those_of_the_table()
    {
        LowRankAdapter adapter = new();
        string table = Document.TableOf(Page.Section("## The adapter")[Page.Section("## The adapter").IndexOf("| option |", StringComparison.Ordinal)..]);
        var rows = Regex.Matches(table, @"^\| `(\w+)` \| [^|]* \| ([^|]+) \|", RegexOptions.Multiline).Select(m => (m.Groups[1].Value, m.Groups[2].Value));
        Assert.Equal(typeof(LowRankAdapter).GetProperties().Where(p => p.CanWrite).Select(p => (p.Name, FormattableString.Invariant($"{p.GetValue(adapter)}"))), rows);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
