using Amalgam.Merging;
using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Zoo.Demo;

public class DemonstrationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public void Parents_reach_sensible_accuracy_and_each_fine_tune_beats_the_base_on_its_own_task(long seed)
    {
        using TemporaryFolder folder = new();
        Demonstration demonstration = Demonstration.Run(folder.Path, Options(seed, 2));

        Score origin = demonstration.Parents[0];
        Assert.InRange(origin.Mean, 0.6, 0.95);
        for (int task = 0; task < Problem.Tasks; task++)
        {
            double own = demonstration.Parents[1 + task].Accuracy[task];
            Assert.InRange(own, 0.8, 1);
            Assert.True(own > origin.Accuracy[task]);
        }

        Assert.All(demonstration.Merged, score => Assert.InRange(score.Mean, 1.0 / Problem.Classes, 1));
    }

    [Fact]
    public void One_thread_and_two_give_the_same_numbers_and_files()
    {
        using TemporaryFolder one = new(), two = new();
        Demonstration a = Demonstration.Run(one.Path, Options(5, 1)), b = Demonstration.Run(two.Path, Options(5, 2));

        Assert.Equal(a.Parents.Concat(a.Merged).SelectMany(s => s.Accuracy), b.Parents.Concat(b.Merged).SelectMany(s => s.Accuracy));
        string[] files = [.. Directory.GetFiles(one.Path, "*.safetensors", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(one.Path, f))];
        Assert.Equal(1 + Problem.Tasks + DemoMerge.All.Length, files.Length);
        Assert.All(files, f => Assert.Equal(File.ReadAllBytes(one[f]), File.ReadAllBytes(two[f])));
    }

    [Fact]
    public void Every_method_that_takes_three_fine_tunes_takes_part() =>
        Assert.Equal(MergeMethod.All.Where(m => m.Least <= 3 && m.Most >= 3).Select(m => m.Name), DemoMerge.All.Select(m => m.Method).Distinct());

    [Fact]
    public void Only_defaults_are_used_but_for_what_the_output_states()
    {
        foreach (DemoMerge merge in DemoMerge.All.Where(m => m.Method != "cki"))
        {
            bool prunes = MergeMethod.Find(merge.Method)!.Parameters.Any(p => p.Name == "density" && !p.Summary.Contains("without effect"));
            Assert.Equal(prunes ? [("density", "0.5")] : [], merge.Parameters);
        }
    }

    private static MergeOptions Options(long seed, int threads) => new() { Seed = seed, Parallel = new() { MaxDegreeOfParallelism = threads } };
}
