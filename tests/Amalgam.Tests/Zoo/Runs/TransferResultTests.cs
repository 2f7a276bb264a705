using System.Text.Json;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class TransferResultTests
{
    private static EpochRecord Epoch(int number, Score? validation) => new(number, 10 * number, 0.1, 1, null, validation, 2.5);

    private static RunResult Run(Score? validation, Score? last, Score? best) => new([Epoch(1, validation)], validation is null ? null : Epoch(1, validation), last, best, []);

    [Fact]
    public void Networks_are_compared_by_the_best_epoch_and_the_measure_that_chose_it()
    {
        Score low = new(0.9, 0.5, 10), high = new(0.4, 0.75, 10), ranked = new(0.4, null, 10) { Merit = 0.25 }, plain = new(0.5, null, 10);
        TransferredModel model = new("a", Run(high, low, high), Run(low, high, low));
        Assert.Equal(new ComparedScore("accuracy", 0.75, 0.5) { Samples = 10 }, model.Compared(onTest: true));
        Assert.Equal((0.25, true), (model.Compared(onTest: false)!.Difference, model.Compared(onTest: false)!.IsShare));

        // Without validation data the last weights count; without either there is nothing to compare.
        Assert.Equal(new ComparedScore("accuracy", 0.5, 0.75) { Samples = 10 }, new TransferredModel("a", Run(null, low, null), Run(null, high, null)).Compared(onTest: true));
        Assert.Null(new TransferredModel("a", Run(null, low, null), null).Compared(onTest: false));
        Assert.Equal(new ComparedScore("ndcg@10", 0.25, null) { Samples = 10 }, new TransferredModel("a", Run(ranked, null, null), null).Compared(onTest: false));
        ComparedScore loss = new TransferredModel("a", Run(plain, null, null), Run(plain with { Loss = 0.75 }, null, null)).Compared(onTest: false)!;
        Assert.Equal(("loss", -0.25, false), (loss.Measure, loss.Difference, loss.IsShare));
    }

    /// <summary>A network that went from 96.8 to 11.2 % must not pass like any other, and one sample of two hundred must not alarm.</summary>
    [Theory]
    [InlineData(0.112, 0.968, 200, true)]
    [InlineData(0.905, 0.91, 200, false)]
    [InlineData(0.97, 0.96, 200, false)]
    [InlineData(0.80, 0.84, 200, false)]
    [InlineData(0.80, 0.84, 2000, true)]
    [InlineData(0.99, 1, 100, false)]
    public void A_network_that_lost_more_than_samples_explain_is_said(double together, double solo, int samples, bool isLost)
    {
        Score Of(double right) => new(1, right, samples);
        TransferredModel model = new("a", Run(Of(together), Of(together), Of(together)), Run(Of(solo), Of(solo), Of(solo)));
        TransferResult result = new() { Models = [model], Transfers = [], Times = default, Rounds = 3 };
        using JsonDocument json = JsonDocument.Parse(TransferJson.Result(result));
        string[] warnings = [.. json.RootElement.GetProperty("warnings").EnumerateArray().Select(text => text.GetString()!)];
        Assert.Equal(TransferSentences.Warnings(result), warnings);
        Assert.Equal(isLost ? 1 : 0, warnings.Length);
        if (isLost) Assert.StartsWith($"a lost {FormattableString.Invariant($"{100 * (solo - together):0.00}")} points by the transfers: ", warnings[0]);
        Assert.Null(TransferSentences.LostBy(model with { IsChanged = false }));
        Assert.Null(TransferSentences.LostBy(model with { Solo = null }));

        // Without validation data the test data says it.
        string? ofTest = TransferSentences.LostBy(new("a", Run(null, Of(together), null), Run(null, Of(solo), null)));
        Assert.Equal(isLost, ofTest?.Contains("on the test data") ?? false);
    }

    /// <summary>Where it was not trained by itself, a network that was given trained is compared with that.</summary>
    [Fact]
    public void A_trained_network_is_compared_with_what_was_given_where_nothing_else_is_there()
    {
        Score good = new(0.1, 0.968, 500), bad = new(3, 0.112, 500);
        TransferredModel model = new("a", Run(bad, bad, bad), null) { Given = new(good, good) };
        Assert.Equal((0.968, 0.112), (model.Compared(onTest: true)!.Given, model.Compared(onTest: true)!.Together));
        Assert.StartsWith("a is worse than it was given by 85.60 points: 11.20% on the validation data, 96.80% as given", TransferSentences.LostBy(model));
        Assert.Null(TransferSentences.LostBy(model with { Solo = Run(bad, bad, bad) }));
        Assert.Null(TransferSentences.LostBy(model with { Given = null }));
    }

    [Fact]
    public void Of_losses_a_tenth_counts()
    {
        string? Of(double together, double solo) => TransferSentences.LostBy(new("a", Run(new(together, null, 10), null, null), Run(new(solo, null, 10), null, null)));
        Assert.Null(Of(0.54, 0.5));
        Assert.Null(Of(0.2, 0.5));
        Assert.NotNull(Of(double.NaN, 0.5));
        Assert.Contains("a lost 0.1000 of its loss by the transfers: 0.6000 on the validation data, 0.5000 by itself", Of(0.6, 0.5));
    }

    [Fact]
    public void The_largest_change_of_any_epoch_counts_but_that_of_the_very_first_transfer()
    {
        WeightMatrix matrix = WeightMatrix.Of(Amalgam.Zoo.Models.ZooModel.Find("mlp").Build(2), "fc1.weight");
        TransferSummary Of(params (long Transfers, double Change)[] epochs) =>
            new(new(new TransferMatrix("a", matrix), new("b", matrix), new MlpAdapter(), 2), 5, [.. epochs.Select((epoch, i) => new TransferRecord(i + 1, epoch.Transfers, 1, epoch.Change, []))]);
        Assert.Null(Of((5, 0.1), (10, 0.3)).Astray);
        Assert.Null(Of((1, 2.5), (1, 0), (2, 0.2)).Astray);
        Assert.Null(Of().Astray);
        Assert.Equal(1, Of((5, 1.7), (10, 0.2)).Astray!.Epoch);
        Assert.Equal(2, Of((5, 0.4), (10, 2.7), (15, 0.5)).Astray!.Epoch);
        Assert.Equal(2, Of((5, 0.4), (10, double.NaN)).Astray!.Epoch);
        TransferResult result = new() { Models = [], Transfers = [Of((5, 1.7), (10, 0.2)), Of((5, 0.1), (10, 0.5))], Times = default, Rounds = 3 };
        Assert.StartsWith("a transfer changed b:fc1.weight by 170.0% on average in epoch 1, and by 20.0% in the last", TransferSentences.Warnings(result)[0]);
        Assert.StartsWith("a transfer changed b:fc1.weight by 50.0% on average in the last epoch", TransferSentences.Warnings(result)[1]);
    }

    [Fact]
    public void Numbers_that_JSON_cannot_say_are_left_out()
    {
        Score astray = new(double.NaN, null, 10);
        TransferResult result = new() { Models = [new("it's \"a\"", Run(astray, astray, astray), Run(astray, astray, astray))], Transfers = [], Times = default, Rounds = 3 };
        using JsonDocument json = JsonDocument.Parse(TransferJson.Result(result));
        JsonElement model = json.RootElement.GetProperty("models").GetProperty("it's \"a\"");
        Assert.False(model.TryGetProperty("test", out _));
        Assert.Equal(1, model.GetProperty("solo").GetProperty("epochs").GetInt32());
    }

    /// <summary>Whatever the clock said: a ratio of the figures as they are, to the tick, or none where that is too little to say something.</summary>
    [Theory]
    [InlineData(30_000_000, 12.0, 2.5)]
    [InlineData(4_800_000, 2.0, 2.4)]
    [InlineData(4_800_000, 1.999, null)]
    [InlineData(1_999_999, 4.0, null)]
    [InlineData(3, 0.0000012, null)]
    [InlineData(3, 0.0, null)]
    [InlineData(0, 12.0, null)]
    [InlineData(0, 0.0, null)]
    [InlineData(30_000_000, null, null)]
    public void Time_together_is_compared_with_time_alone(long tenth, double? alone, double? expected)
    {
        TransferResult result = Timed(tenth, alone, default);
        if (expected is { } ratio) Assert.Equal(ratio, result.TimesAsLong!.Value, 1e-9);
        else Assert.Null(result.TimesAsLong);

        JsonElement seconds = SecondsOf(result);
        Assert.Equal(result.TimesAsLong, seconds.TryGetProperty("ratio", out JsonElement found) ? found.GetDouble() : null);
        Assert.Equal(alone is not null, seconds.TryGetProperty("of_a_round_alone", out _));
        Assert.False(seconds.TryGetProperty("first_rounds", out _));
        string sentence = TransferSentences.Cost(result);
        if (expected is { } shown) Assert.EndsWith(FormattableString.Invariant($": {shown:0.00} times as long together."), sentence);
        else if (alone is null) Assert.Matches("adapters [0-9.]+ s\\.$", sentence);
        else Assert.EndsWith("with each network by itself. The run is too short to say how many times as long that is.", sentence);
    }

    /// <summary>All that was slow in the first two rounds of seven counts for nothing.</summary>
    [Fact]
    public void The_first_rounds_are_no_part_of_the_comparison()
    {
        PhaseTimes slow = new(TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(10));
        TransferResult plain = Timed(50_000_000, 35, default), warmed = Timed(50_000_000, 35, new(2, slow));
        Assert.Equal(50 / 7.0, plain.SecondsTogether, 1e-9);
        Assert.Equal(50 / 5.0, warmed.SecondsTogether, 1e-9);
        Assert.Equal(25 / 5.0, warmed.SecondsOfTransfers, 1e-9);
        Assert.Equal(2, warmed.TimesAsLong!.Value, 1e-9);
        Assert.EndsWith(": 2.00 times as long together. The first 2 rounds are left out, since code is compiled there.", TransferSentences.Cost(warmed));
        Assert.Null(Timed(1_900_000, 35, new(2, slow)).TimesAsLong);

        JsonElement seconds = SecondsOf(warmed);
        Assert.Equal((2, 40.0, 30.0, 20.0, 10.0), (seconds.GetProperty("first_rounds").GetProperty("rounds").GetInt32(), Of("steps"), Of("transfers"), Of("adapter_updates"), Of("evaluation")));
        Assert.Equal((10, 2), (seconds.GetProperty("of_a_round_together").GetDouble(), seconds.GetProperty("ratio").GetDouble()));
        Assert.Equal(60, seconds.GetProperty("steps").GetDouble());
        Assert.False(SecondsOf(warmed with { Resumed = true }).TryGetProperty("first_rounds", out _));

        double Of(string phase) => seconds.GetProperty("first_rounds").GetProperty(phase).GetDouble();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(9, 0)]
    [InlineData(10, 1)]
    [InlineData(24, 2)]
    [InlineData(256, 25)]
    public void The_first_rounds_are_a_tenth(long rounds, long expected) => Assert.Equal(expected, FirstRounds.Of(rounds));

    /// <summary>Of seven rounds, of which steps took four tenths after the first, transfers three, adapters two, measuring one.</summary>
    private static TransferResult Timed(long tenth, double? alone, FirstRounds first)
    {
        Score score = new(0.5, null, 10);
        RunResult solo = new([Epoch(1, score) with { Seconds = alone ?? 0 }], null, null, null, []);
        PhaseTimes times = new(first.Times.Steps + new TimeSpan(4 * tenth), first.Times.Transfers + new TimeSpan(3 * tenth), first.Times.AdapterUpdates + new TimeSpan(2 * tenth), first.Times.Evaluation + new TimeSpan(tenth));
        return new() { Models = [new("a", Run(score, null, null), alone is null ? null : solo)], Transfers = [], Times = times, First = first, Rounds = 7 };
    }

    private static JsonElement SecondsOf(TransferResult result)
    {
        using JsonDocument json = JsonDocument.Parse(TransferJson.Result(result));
        return json.RootElement.GetProperty("seconds").Clone();
    }

    [Fact]
    public void Several_sources_are_an_array_and_one_is_what_it_is()
    {
        WeightMatrix matrix = WeightMatrix.Of(Amalgam.Zoo.Models.ZooModel.Find("mlp").Build(2), "fc1.weight");
        KnowledgeTransfer one = new(new TransferMatrix("a", matrix), new("c", matrix), new LowRankAdapter(), 2), two = one with { Sources = [new("a", matrix), new("b", matrix, 3)] };
        TransferResult result = new() { Models = [], Transfers = [new(one, 5, []), new(two, 6, [])], Times = default, Rounds = 3 };
        using JsonDocument json = JsonDocument.Parse(TransferJson.Result(result));
        JsonElement[] from = [.. json.RootElement.GetProperty("transfers").EnumerateArray().Select(transfer => transfer.GetProperty("from"))];
        Assert.Equal("a", from[0].GetProperty("model").GetString());
        Assert.Equal([("a", 0), ("b", 3)], from[1].EnumerateArray().Select(source => (source.GetProperty("model").GetString()!, source.GetProperty("rank").GetInt32())));
        Assert.Contains("b:fc1.weight trained as a product of factors of rank 3", TransferSentences.Comparison(result with { Models = [Model("a"), Model("b"), Model("c")], InFactors = [two.Sources[1]] }));

        static TransferredModel Model(string name) => new(name, Run(null, null, null), Run(null, null, null));
    }

    [Fact]
    public void A_line_of_a_transfer_names_it()
    {
        WeightMatrix matrix = WeightMatrix.Of(Amalgam.Zoo.Models.ZooModel.Find("mlp").Build(2), "fc1.weight");
        KnowledgeTransfer transfer = new(new TransferMatrix("a", matrix), new("b\"", matrix, 4), new MlpAdapter(), 2);
        using JsonDocument json = JsonDocument.Parse(TransferJson.Line(transfer, new(3, 12, 1.5, 0.25, [[0.5, 0.25, 0.125, 0.125]])));
        Assert.Equal("a:fc1.weight -> b\":fc1.weight at rank 4", json.RootElement.GetProperty("transfer").GetString());
        Assert.Equal((3, 12, 0.25), (json.RootElement.GetProperty("epoch").GetInt32(), json.RootElement.GetProperty("transfers").GetInt32(), json.RootElement.GetProperty("mixing")[0][1].GetDouble()));
    }
}
