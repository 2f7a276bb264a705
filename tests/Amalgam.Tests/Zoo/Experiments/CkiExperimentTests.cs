using System.Xml.Linq;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Training;
using Amalgam.Transfer;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Demo;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Tests.Zoo.Experiments;

public class CkiExperimentTests
{
    private static readonly string[] OfThePaper =
    [
        "model A", "model B", "pruning (head)", "pruning (all)", "ensemble", "averaging (head)", "averaging (all)", "CKI, closed form (head)", "CKI, splice trained (head)", "CKI, all trained (head)",
        "model A trained on",
    ];

    [Fact]
    public void Table_1_has_every_method_for_each_seed_and_kind_of_pair_and_equal_budgets()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path) with { Seeds = 1, EveryMethod = true };
        Subject subject = TinyClicks.Subject(options);
        CkiResult result = CkiExperiment.Run(options, subject);
        string[] others = [.. DemoMerge.Methods.Select(m => m.Name).Except(["linear", "cki"])], withoutBase = [.. DemoMerge.Methods.Where(m => !DemoMerge.NeedsCommonBase(m)).Select(m => m.Name).Except(["linear", "cki"])];
        Assert.Equal(OfThePaper.Concat(others).Order(), Of(CkiStart.Same));
        Assert.Equal(OfThePaper.Concat(withoutBase).Order(), Of(CkiStart.Other));

        long parameters = subject.Build(1).Parameters.Values.Sum(p => p.Shape.Count), later = subject.MoreEpochs * ((subject.Train.Count + 31) / 32);
        Assert.All(result.Rows, row =>
        {
            Assert.Equal(row.Method == "ensemble" ? 2 * parameters : parameters, row.Parameters);
            Assert.Equal(row.Method == "CKI, splice trained (head)" ? 2 * later : row.Method is "CKI, all trained (head)" or "model A trained on" ? later : 0, row.Steps);
            Assert.All(row.Test, figure => Assert.InRange(figure, 0, 1));
            Assert.Equal(row.Tried > 1, row.Chosen != "");
        });
        Assert.Equal(4 * subject.Build(1).Parameters.Keys.Count(subject.Scopes[0].Includes), result.Shares.Length);
        Assert.All(result.Shares, share =>
        {
            Assert.True(0 < share.Least && share.Least <= share.Mean && share.Mean <= share.Most && share.Most < 1);
            Assert.InRange(share.Global, 0.3, 0.7);
            Assert.Equal(share.Larger == 1, share.Least >= 0.5);
        });
        Assert.Equal(["model A", "CKI, splice trained (head)", "ensemble"], result.Costs.Select(c => c.Name));
        Assert.Equal([parameters, parameters, 2 * parameters], result.Costs.Select(c => c.Parameters));

        string table = File.ReadAllText(Path.Combine(result.Folder, CkiExperiment.TableFile));
        XElement page = HtmlReportTests.Parse(File.ReadAllText(Path.Combine(result.Folder, CkiExperiment.PageFile)));
        Assert.All(result.Rows, row =>
        {
            Assert.Contains($"| {row.Method} |", table);
            Assert.Contains(page.Descendants(), e => e.Name.LocalName == "td" && e.Value == row.Method);
        });
        Assert.DoesNotContain("NaN", table + page.Value);

        IEnumerable<string> Of(CkiStart start) => result.Rows.Where(row => row.Start == start).Select(row => row.Method).Order();
    }

    [Fact]
    public void The_ensemble_of_a_network_with_itself_is_that_network()
    {
        using TemporaryFolder folder = new();
        Subject subject = TinyClicks.Subject(TinyClicks.Options(folder.Path));
        Graph network = subject.Build(3);
        Tensor one = Scores(subject, network), two = Scores(subject, network, subject.Copy(network));
        Assert.Equal(one.Span.ToArray(), two.Span.ToArray());
        Assert.Equal(subject.Figures.Of([network], subject.Test), subject.Figures.Of([network, network], subject.Test));
    }

    [Fact]
    public void No_choice_looks_at_the_test_data()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder["right"]) with { Seeds = 1, Starts = [CkiStart.Same] };
        Row[] right = [.. CkiExperiment.Run(options, TinyClicks.Subject(options)).Rows];
        options = options with { Folder = folder["wrong"] };
        Row[] wrong = [.. CkiExperiment.Run(options, TinyClicks.Subject(options, new WrongClicks(TinyClicks.Part(Split.Test)))).Rows];
        Assert.Equal(right.Select(row => (row.Method, row.Chosen, row.Validation)), wrong.Select(row => (row.Method, row.Chosen, row.Validation)));
        Assert.All(right.Zip(wrong), pair => Assert.NotEqual(pair.First.Test[0], pair.Second.Test[0]));
        foreach (string file in Directory.GetFiles(folder["right/networks"], "*.safetensors", SearchOption.AllDirectories))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace(folder["right"], folder["wrong"], StringComparison.Ordinal)));
    }

    [Fact]
    public void An_interrupted_reproduction_goes_on_and_a_finished_one_trains_nothing()
    {
        using TemporaryFolder folder = new();
        CkiOptions whole = TinyClicks.Options(folder["whole"]) with { Seeds = 1 };
        Row[] expected = [.. CkiExperiment.Run(whole, TinyClicks.Subject(whole)).Rows];

        foreach (string stop in new[] { "  b-same-1, epoch 1", "ndcg@10", "training cki-other-1-head-hard" })
        {
            using CancellationTokenSource cancel = new();
            CkiOptions stopped = whole with { Folder = folder["stopped"], Cancel = cancel.Token, Line = line => { if (line.StartsWith(stop)) cancel.Cancel(); } };
            Assert.ThrowsAny<OperationCanceledException>(() => CkiExperiment.Run(stopped, TinyClicks.Subject(stopped)));
        }

        CkiOptions again = whole with { Folder = folder["stopped"] };
        Assert.Equal(Lines(expected), Lines(CkiExperiment.Run(again, TinyClicks.Subject(again)).Rows));

        List<string> said = [];
        again = again with { Line = said.Add };
        Assert.Equal(Lines(expected), Lines(CkiExperiment.Run(again, TinyClicks.Subject(again)).Rows));
        Assert.Empty(said);

        CkiOptions other = again with { MoreEpochs = 1 };
        Assert.Contains("'2 more' there, '1 more' here", Refusal(other));
        Assert.Empty(said);
        other = other with { Overwrite = true };
        Assert.NotEqual(Lines(expected), Lines(CkiExperiment.Run(other, TinyClicks.Subject(other)).Rows));
        Assert.Contains(said, line => line.StartsWith("training a-1-on:"));
        Assert.DoesNotContain(said, line => line.StartsWith("training a-1:"));
        other = other with { Epochs = 1 };
        CkiExperiment.Run(other, TinyClicks.Subject(other));
        Assert.Contains(said, line => line.StartsWith("training a-1:"));

        string Refusal(CkiOptions options) => Assert.Throws<InvalidDataException>(() => CkiExperiment.Run(options, TinyClicks.Subject(options))).Message;

        static IEnumerable<string> Lines(IEnumerable<Row> rows) => rows.Select(row => row.ToJson(["ndcg@5", "hr@5", "ndcg@10", "hr@10", "auc", "uauc"]));
    }

    [Fact]
    public void Table_3_integrates_a_network_whose_head_is_made_for_each_sample()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path, 3) with { Seeds = 1, Starts = [CkiStart.Same] };
        Subject subject = TinyClicks.Subject(options);
        CkiResult result = CkiExperiment.Run(options, subject);
        Assert.Equal(
            ["model A", "model B (dynamic)", "pruning (all)", "ensemble", "averaging (head)", "CKI, splice trained (head)", "CKI, all trained (head)", "model B trained on"],
            result.Rows.Select(row => row.Method));
        Assert.Equal(result.Rows.Select(row => row.Method).Where(m => m.EndsWith("trained (head)") || m.EndsWith("trained on")), result.Rows.Where(row => row.Steps > 0).Select(row => row.Method));
        long later = subject.MoreEpochs * ((subject.Train.Count + 31) / 32);
        Assert.Equal([later, later, later], result.Rows.Where(row => row.Steps > 0).Select(row => row.Steps));
        Assert.Equal("A static and a dynamic network, what both have initialised alike, 1 seed", result.Title(result.Summaries[0]));

        // With P at zero and equal entropies the shares are halves: the average is what it says, sample by sample.
        TrainedNetworks networks = new(subject, options);
        StaticPair pair = new(subject, networks, CkiStart.Same, 1);
        DynamicPair dynamic = new(subject, networks, pair);
        Graph halves = new Integration([pair.A, dynamic.B], new LearnedCki(new Cki(A: 1e-9)) { Start = Initialisation.Zeros }, new() { Include = subject.Scopes[0].Includes }).Graph;
        Tensor averaged = Scores(subject, dynamic.Averaged(subject.Scopes[0])), expected = Scores(subject, halves);
        for (int i = 0; i < expected.Count; i++) Assert.Equal(expected.Span[i], averaged.Span[i], 1e-4f);
        Assert.Equal(subject.Figures.Of([dynamic.Averaged(subject.Scopes[0])], subject.Test), result.Rows.Single(row => row.Method == "averaging (head)").Test);
        Assert.True(result.Costs.Single(c => c.Name == "CKI, splice trained (head)").Parameters > result.Costs.Single(c => c.Name == "model B (dynamic)").Parameters);
    }

    [Fact]
    public void Table_4_trains_each_network_one_epoch_in_one_order()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path, 4) with { Starts = [CkiStart.Same] };
        Subject subject = TinyClicks.Subject(options);
        CkiResult result = CkiExperiment.Run(options, subject);
        int epoch = (subject.Train.Count + 31) / 32;
        foreach (int seed in new[] { 1, 2 })
        {
            long[] steps = [.. new[] { "model A", "averaging (head)", "CKI, splice trained (head)", "model A trained on" }.Select(method => Steps($"{method} + one epoch", seed) - Steps(method, seed))];
            Assert.Equal([epoch, epoch, epoch, epoch], steps);
            Assert.Equal([0, 0, 4 * epoch, 2 * epoch], new[] { "model A", "averaging (head)", "CKI, splice trained (head)", "model A trained on" }.Select(method => Steps(method, seed)));
        }

        // The same epoch, by hand.
        TrainedNetworks networks = new(subject, options);
        Graph byHand = subject.Copy(new StaticPair(subject, networks, CkiStart.Same, 2).A);
        new Trainer(byHand, subject.Loss, subject.Train, subject.Training with { Epochs = 1, Seed = 20_002 }).Run();
        Assert.Equal(subject.Figures.Of([byHand], subject.Test), result.Rows.Single(row => row.Seed == 2 && row.Method == "model A + one epoch").Test);

        long Steps(string method, int seed) => result.Rows.Single(row => row.Method == method && row.Seed == seed).Steps;
    }

    [Fact]
    public void An_epoch_from_other_weights_is_another_network()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path, 4) with { Seeds = 1, Starts = [CkiStart.Same] }, fewer = options with { MoreEpochs = 1, Folder = folder["other"] };
        CkiExperiment.Run(options, TinyClicks.Subject(options));
        double[][] alone = Tests(fewer);
        fewer = fewer with { Folder = options.Folder };
        Assert.Throws<InvalidDataException>(() => Tests(fewer));
        Assert.Equal(alone, Tests(fewer with { Overwrite = true }));

        double[][] Tests(CkiOptions own) => [.. CkiExperiment.Run(own, TinyClicks.Subject(own)).Rows.Select(row => row.Test.ToArray())];
    }

    [Fact]
    public void A_network_of_another_description_and_a_damaged_one_are_told_of()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path);
        Subject subject = TinyClicks.Subject(options);
        string path = new TrainedNetworks(subject, options).PathOf("a");
        new TrainedNetworks(subject, options).Train("a", subject.Build(1), 1, 5, isFirst: true);
        byte[] before = File.ReadAllBytes(path);
        Assert.Contains("'a: 1 epochs' there, 'a: 2 epochs' here", Refusal(2));
        Assert.Equal(before, File.ReadAllBytes(path));
        File.WriteAllBytes(path, before[..^100]);
        Assert.Contains("delete it to train it again", Refusal(1));

        File.Delete(path);
        using CancellationTokenSource cancel = new();
        CkiOptions stopped = options with { Cancel = cancel.Token, Line = line => { if (line.Contains("epoch 1")) cancel.Cancel(); } };
        Assert.ThrowsAny<OperationCanceledException>(() => new TrainedNetworks(subject, stopped).Train("a", subject.Build(1), 2, 5, isFirst: true));
        Assert.Contains("--overwrite", Refusal(3));
        Assert.Equal(3 * ((subject.Train.Count + 31) / 32), new TrainedNetworks(subject, options with { Overwrite = true }).Train("a", subject.Build(1), 3, 5, isFirst: true).Steps);

        string Refusal(int epochs) => Assert.Throws<InvalidDataException>(() => new TrainedNetworks(subject, options).Train("a", subject.Build(1), epochs, 5, isFirst: true)).Message;
    }

    [Fact]
    public void The_setting_tells_what_was_drawn_and_what_a_batch_counts()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path) with { Seeds = 1, Starts = [CkiStart.Same], Epochs = 1, MoreEpochs = 1, Limit = 50, Users = 30, Dataset = "beauty" };
        CkiResult din = CkiExperiment.Run(options, TinyClicks.Subject(options));
        Assert.StartsWith("50 training samples (drawn of the 200 of circles, Train), 30 for every choice (drawn of the 40 of circles, Validation), 30 for results (drawn of the 40 of circles, Test). ", din.Setting);
        Assert.Contains("batch 32 groups of 5,", din.Setting);
        Assert.DoesNotContain("held out", din.Setting);
        Assert.NotEmpty(din.Paper);
        options = options with { Model = "gru4rec" };
        Assert.Empty(CkiExperiment.Run(options, TinyClicks.Subject(options)).Paper);

        Subject whole = new ClickSetting("circles", 2, 2, 2, null, 30).OfClicks(options with { Users = null }, TinyClicks.Items + 1, TinyClicks.Part(Split.Train), TinyClicks.Part(Split.Validation), TinyClicks.Part(Split.Test));
        Assert.Equal((30, 40), (whole.Validation.Count, whole.Test.Count));
    }

    [Fact]
    public void An_integrated_pair_of_equal_networks_is_that_network()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = TinyClicks.Options(folder.Path);
        Subject subject = TinyClicks.Subject(options);
        Graph a = subject.Build(5);
        Graph integrated = new Integration([a, subject.Copy(a)], new LearnedCki(new Cki()), new() { Include = subject.Scopes[0].Includes }).Bake();
        Assert.Equal(Scores(subject, a).Span.ToArray(), Scores(subject, integrated).Span.ToArray());
        Assert.Equal(["head.0.weight", "head.1.weight", "head.2.weight"], a.Parameters.Keys.Where(subject.Scopes[0].Includes));
    }

    private static Tensor Scores(Subject subject, params Graph[] networks) => ((ScoreFigures)subject.Figures).Scores(networks, subject.Test);
}
