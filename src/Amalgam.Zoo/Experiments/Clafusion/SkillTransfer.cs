using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>
/// Table 13 and figure 4: a specialist who knows the digit 4 and has seen a tenth of the others, and a deeper generalist who has never seen a 4. Each row is of one way to balance and has an accuracy
/// for each weight of the generalist, from 0 to 1; the table's heading calls it the weight of A, but its column 0 is the specialist's accuracy.
/// </summary>
internal sealed class SkillTransfer(Bench bench)
{
    public const string Table = "table 13", Specialist = "specialist (A)", Generalist = "generalist (B)";

    private const int Samples = 400, Seeds = 5, Steps = 10;

    /// <summary>Names of the figures: the generalist's weight.</summary>
    public static IEnumerable<string> Weights => Enumerable.Range(0, Steps + 1).Select(Name);

    /// <summary>Makes the rows.</summary>
    public void Run()
    {
        foreach (int seed in bench.Seeds(0, Seeds))
        {
            ImageSetting setting = new(ClafusionParents.OfSkill(seed, rest: false).Data, bench.Options);
            LayerFusion fusion = new(setting, bench.Options.Samples ?? Samples, bench.Options.Cancel);
            Graph special = bench.Parents.Specialist(seed), rest = bench.Parents.Generalist(seed);
            string pair = FormattableString.Invariant($"seed {seed}");
            void Row(string method, Func<Func<double, ImmutableArray<Figure>>> make) => bench.Row(Table, pair, method, () =>
            {
                Func<double, ImmutableArray<Figure>> measure = make();
                return new([.. Enumerable.Range(0, Steps + 1).Select(step => new Figure(Name(step), measure((double)step / Steps)[0].Value))]);
            });
            Row("add", () => Fuse(fusion, setting, rest, special, null));
            Row("merge (sum)", () => Fuse(fusion, setting, rest, special, Gate.Sum));
            Row("merge (average)", () => Fuse(fusion, setting, rest, special, Gate.Average));
            Row("ensemble", () =>
            {
                Tensor[] scores = [setting.Scores(rest), setting.Scores(special)];
                return weight => setting.Of(scores, [weight, 1 - weight]);
            });
            bench.Row($"{Table}, single networks", pair, Specialist, () => Skills(setting, special));
            bench.Row($"{Table}, single networks", pair, Generalist, () => Skills(setting, rest));
        }
    }

    private static Func<double, ImmutableArray<Figure>> Fuse(LayerFusion fusion, ImageSetting setting, Graph rest, Graph special, Gate? gate)
    {
        LayerOptions how = fusion.Layers with { Measure = LayerMeasure.Width };
        Siblings both = fusion.Bring(fusion.Balance(fusion.Map(rest, special, how), gate));
        return weight => setting.Measure([LayerFusion.Mean(both, [1 - weight, weight])]);
    }

    /// <summary>The accuracy on all digits, on fours and on the others.</summary>
    private static Outcome Skills(ImageSetting setting, Graph network)
    {
        Tensor scores = setting.Scores(network);
        ReadOnlySpan<int> labels = setting.Test.Labels;
        int classes = setting.Test.Classes.Length;
        double[] right = new double[2], count = new double[2];
        for (int i = 0; i < labels.Length; i++)
        {
            int kind = labels[i] == 4 ? 0 : 1;
            count[kind]++;
            if (System.Numerics.Tensors.TensorPrimitives.IndexOfMax(scores.Span.Slice(i * classes, classes)) == labels[i]) right[kind]++;
        }

        return new([.. setting.Of([scores]), new("fours", right[0] / count[0]), new("others", right[1] / count[1])]);
    }

    private static string Name(int step) => FormattableString.Invariant($"{(double)step / Steps:0.0}");
}
