using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Transfer.Teaching;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Tables 4 and 11: a wide and deep VGG network, the teacher, fused into a narrow one, and other mappings of their layers.</summary>
internal sealed class TeacherAndStudent(Bench bench)
{
    public const string Table = "table 4", Distillations = "table 5", Mappings = "table 11";

    private const double Temperature = 8, Share = 0.7;

    /// <summary>The learning rate of fine-tuning, chosen on the held-out training samples (<see cref="RateChoice"/>).</summary>
    public const double Rate = 0.03;

    private const int Samples = 200, First = 40, Seeds = 3;

    private readonly Lazy<FineTuning> _tuning = new(() => new(ClafusionParents.OfVggs, bench.Options));

    /// <summary>The data.</summary>
    public ImageSetting Setting { get; } = new(ClafusionParents.OfVggs.Data, bench.Options);

    /// <summary>How networks are fused.</summary>
    public LayerFusion Fusion => new(Setting, bench.Options.Samples ?? Samples, bench.Options.Cancel);

    /// <summary>The seeds of the pairs.</summary>
    public IEnumerable<int> All => bench.Seeds(First, Seeds);

    /// <summary>A student of the fused network's shape, or of B's, with drawn weights.</summary>
    public static Graph Drawn(bool deep, int seed) =>
        ModelLoader.Build(new(deep ? "vgg13" : "vgg11") { Options = ModelDescription.Parse("x:width=0.0625,fixed_ends=true,norm=none,bias=false").Options }, 2, 1000 + seed);

    /// <summary>Table 4.</summary>
    public void Run()
    {
        foreach (int seed in All)
        {
            Graph a = bench.Parents.Teacher(seed), b = bench.Parents.Student(seed);
            string pair = ResidualNetworks.Pair(seed);
            bench.Parts(Table, pair, Setting, ("A", () => a), ("B", () => b));
            Lazy<Fused> fused = new(() => Fusion.Run(a, b));
            bench.Row(Table, pair, ResidualNetworks.FusedName, () => new(Setting.Measure([fused.Value.Network]), LayerFusion.Text(Fusion.Map(a, b)), Seconds: fused.Value.Seconds));
            Tune(Table, seed, ResidualNetworks.FusedName, () => fused.Value.Network);
            Tune(Table, seed, "B", () => b);
            Tune(Table, seed, ResidualNetworks.Deepened, () => Fusion.Balance(Fusion.Map(a, b)).B);
        }

        foreach (int seed in All) Tune(Table, seed, "A", () => bench.Parents.Teacher(seed));
    }

    /// <summary>Table 11: where the first two layers of the student belong, each within its group; all seeds as they are fused, then all fine-tuned.</summary>
    public void RunMappings()
    {
        foreach (bool tuned in new[] { false, true })
        {
            foreach (int seed in All)
            {
                Graph a = bench.Parents.Teacher(seed), b = bench.Parents.Student(seed);
                Lazy<LayerMapping> chosen = new(() => Fusion.Map(a, b));
                foreach (var (first, second) in new[] { (0, 0), (0, 1), (1, 0), (1, 1) })
                {
                    string name = FormattableString.Invariant($"[{first + 1}, {second + 3}]");
                    Graph Fused() => Fusion.Run(a, b, () => LayerFusion.Given(a, b, [[first], [second], .. chosen.Value.Groups.Skip(2).Select(group => group.Map)])).Network;
                    if (tuned) Tune(Mappings, seed, name, Fused);
                    else bench.Row(Mappings, ResidualNetworks.Pair(seed), name, () => new(Setting.Measure([Fused()])));
                    if (!tuned) bench.Unbiased(Mappings, ResidualNetworks.Pair(seed), name, Setting, Fused);
                }
            }
        }
    }

    /// <summary>Table 5: the teacher's predictions, softened, are learned from five beginnings. Temperature and share are those that the paper found best most often; nothing is searched for here.</summary>
    public void Distil()
    {
        foreach (int seed in All)
        {
            Graph a = bench.Parents.Teacher(seed), b = bench.Parents.Student(seed);
            Lazy<LayerMapping> mapping = new(() => Fusion.Map(a, b));
            foreach (var (name, start) in new (string, Func<Graph>)[]
            {
                ("fused", () => Fusion.Run(a, b, () => mapping.Value).Network),
                ("B", () => b),
                ("B deepened", () => Fusion.Balance(mapping.Value).B),
                ("random B", () => Drawn(false, seed)),
                ("random fused", () => Drawn(true, seed)),
            })
            {
                bench.Row(Distillations, ResidualNetworks.Pair(seed), name, () =>
                {
                    Kd loss = new() { Teachers = [new(a)], Temperature = Temperature, Alpha = Share, Mean = DistillationMean.Elements };
                    Tuned tuned = _tuning.Value.Run(start(), loss, Rate, seed);
                    return new(Setting.Measure([tuned.Network]), Choice: tuned.Choice, Seconds: tuned.Seconds);
                });
            }
        }
    }

    private void Tune(string table, int seed, string method, Func<Graph> network) => bench.Row(table, ResidualNetworks.Pair(seed), ResidualNetworks.Tuned(method), () =>
    {
        Tuned tuned = _tuning.Value.Run(network(), Rate, seed);
        return new(Setting.Measure([tuned.Network]), Choice: tuned.Choice, Seconds: tuned.Seconds);
    });
}
