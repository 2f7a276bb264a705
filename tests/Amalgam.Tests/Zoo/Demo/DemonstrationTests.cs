using System.Xml.Linq;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Training;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Demo;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Demo;

[Collection(nameof(MiniatureDemo))]
public class DemonstrationTests(MiniatureDemo miniature)
{
    private static readonly string[] NeedABase =
        ["task_arithmetic", "ties", "dare_linear", "dare_ties", "breadcrumbs", "breadcrumbs_ties", "della", "della_linear", "model_stock", "sce", "ram", "ramplus_tl"];

    [Fact]
    public void Every_method_that_makes_one_network_of_two_takes_part()
    {
        PairResult halves = miniature.Made.Pairs[0], seeds = miniature.Made.Pairs[1];
        Assert.Equal(MergeMethod.All.Select(m => m.Name).Except(["passthrough"]), halves.Merged.Select(m => m.Merge.Entry.Name));
        Assert.Empty(halves.LeftOut);
        Assert.Equal(NeedABase, seeds.LeftOut);
        Assert.Equal(halves.Merged.Select(m => m.Merge.Entry.Name).Except(NeedABase), seeds.Merged.Select(m => m.Merge.Entry.Name));
        Assert.Equal(["base", "first-half", "second-half"], halves.Parents.Select(p => p.Name));
        Assert.Equal(["seed-1", "seed-2"], seeds.Parents.Select(p => p.Name));
    }

    [Fact]
    public void The_folder_holds_page_networks_and_recipes_and_nothing_else()
    {
        IEnumerable<string> Networks(string folder, IEnumerable<string> names) => names.SelectMany(n => new[] { $"{folder}/{n}.onnx", $"{folder}/{n}.safetensors" });
        IEnumerable<string> expected = miniature.Made.Pairs.SelectMany(result => Networks(result.Pair.Name, result.Parents.Select(p => p.Name))
            .Concat(Networks($"{result.Pair.Name}/merged", result.Merged.Select(m => m.Merge.Entry.Name)))
            .Concat(result.Merged.Select(m => $"{result.Pair.Name}/recipes/{m.Merge.Entry.Name}.yml"))).Append("report.html");
        Assert.Equal(expected.Order(StringComparer.Ordinal), FilesOf(miniature.Folder));
    }

    [Fact]
    public void Scores_are_those_of_the_files_and_both_forms_of_a_network_are_one()
    {
        ImageSet test = Glyphs.Create(120, split: Split.Test);
        foreach (PairResult result in miniature.Made.Pairs)
        {
            var networks = result.Parents.Select(p => (p.Name, Score: p)).Concat(result.Merged.Where((_, i) => i % 3 == 0).Select(m => ($"merged/{m.Merge.Entry.Name}", m.Score)));
            foreach (var (name, score) in networks)
            {
                string path = Path.Combine(miniature.Folder, result.Pair.Name, name);
                ClassScores weights = Scores(ModelLoader.Load(path + ".safetensors", new("cnn"))), onnx = Scores(ModelLoader.Load(path + ".onnx"));
                Assert.Equal(weights.Scores.Span.ToArray(), onnx.Scores.Span.ToArray());
                Assert.Equal(score.Joint, weights.Accuracy(test.Labels));
                Assert.Equal(score.Tasks, result.Pair.Tasks.Select(t => weights.Accuracy(test.Labels, among: t.Classes)));
            }
        }

        ClassScores Scores(Graph network) => new(Predictions.Of(network, test, 120));
    }

    [Fact]
    public void Ensembles_are_the_sum_of_both_networks_scores()
    {
        ImageSet test = Glyphs.Create(120, split: Split.Test);
        foreach (PairResult result in miniature.Made.Pairs)
        {
            Tensor[] scores = [.. new[] { result.Pair.First, result.Pair.Second }.Select(p => Predictions.Of(ModelLoader.Load(Path.Combine(miniature.Folder, result.Pair.Name, p)), test, 120))];
            int right = Enumerable.Range(0, test.Count).Count(i => Enumerable.Range(0, 10).MaxBy(c => scores[0].Span[i * 10 + c] + scores[1].Span[i * 10 + c]) == test.Labels[i]);
            Assert.Equal((double)right / test.Count, result.Ensemble.Joint);
        }
    }

    [Fact]
    public void One_thread_and_two_give_the_same_files_and_another_seed_gives_others()
    {
        using TemporaryFolder folder = new();
        MiniatureDemo.Run(folder["one"], seed: 3, threads: 1);
        string[] files = FilesOf(miniature.Folder);
        Assert.Equal(files, FilesOf(folder["one"]));
        Assert.All(files, f => Assert.Equal(File.ReadAllBytes(Path.Combine(miniature.Folder, f)), File.ReadAllBytes(Path.Combine(folder["one"], f))));

        Demonstration other = MiniatureDemo.Run(folder["other"], seed: 4, threads: 1);
        Assert.NotEqual(miniature.Made.Pairs.SelectMany(p => p.Parents).Select(p => p.Loss), other.Pairs.SelectMany(p => p.Parents).Select(p => p.Loss));
    }

    [Fact]
    public void The_page_is_well_formed_and_has_every_row()
    {
        XElement page = HtmlReportTests.Parse(File.ReadAllText(Path.Combine(miniature.Folder, "report.html")));
        string[] cells = [.. page.Descendants().Where(e => e.Name.LocalName == "td").Select(e => e.Value)];
        Assert.All(miniature.Made.Pairs.SelectMany(p => p.Parents.Append(p.Ensemble).Concat(p.Merged.Select(m => m.Score))), score => Assert.Contains(score.Name, cells));
        Assert.Contains(page.Descendants(), e => e.Name.LocalName == "img");
        Assert.DoesNotContain("NaN", page.Value);
    }

    [Fact]
    public void The_kept_recipes_and_the_commands_of_the_table_give_the_kept_networks()
    {
        using TemporaryFolder folder = new();
        foreach (PairResult result in miniature.Made.Pairs)
        {
            foreach (MergeResult merged in result.Merged)
            {
                string place = Path.Combine(miniature.Folder, result.Pair.Name), name = merged.Merge.Entry.Name;
                using RecipeRun run = RecipeRun.Read(Path.Combine(place, "recipes", name + ".yml"));
                run.Run(folder[$"{result.Pair.Name}-{name}.safetensors"], new() { Seed = 3 });
                Assert.Equal(File.ReadAllBytes(Path.Combine(place, "merged", name + ".safetensors")), File.ReadAllBytes(folder[$"{result.Pair.Name}-{name}.safetensors"]));
            }
        }
    }

    [Fact]
    public void Stopped_in_training_or_merging_it_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        foreach (bool early in new[] { true, false })
        {
            using CancellationTokenSource stop = new();
            Assert.ThrowsAny<OperationCanceledException>(() =>
                MiniatureDemo.Run(folder["demo"], 3, 2, early ? _ => stop.Cancel() : null, early ? null : (done, _) => { if (done == 5) stop.Cancel(); }, stop.Token));
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        }
    }

    [Fact]
    public void Refuses_a_folder_that_holds_something_and_leaves_it_alone()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["demo"]);
        File.WriteAllText(folder["demo/mine.txt"], "");
        Assert.Contains("is not empty", Assert.Throws<IOException>(() => MiniatureDemo.Run(folder["demo"], 0, 2)).Message);
        Directory.CreateDirectory(folder["new.partial"]);
        Assert.Contains("in the way", Assert.Throws<IOException>(() => MiniatureDemo.Run(folder["new"], 0, 2)).Message);
        Assert.Equal(["demo/mine.txt"], FilesOf(folder.Path));
        Assert.True(Directory.Exists(folder["new.partial"]));
    }

    [Fact]
    public void Architectures_of_the_text_are_in_the_zoo() =>
        Assert.All(new[] { miniature.Made.Eval.Model }, model => ZooModel.Find(ModelDescription.Parse(model).Name).With(ModelDescription.Parse(model).Options));

    private static string[] FilesOf(string folder) =>
        [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
