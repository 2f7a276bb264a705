using System.Collections.Immutable;
using Amalgam.Transfer.MergeNet;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Tables 1, 5 and 7 and figure 3: a ResNet and MobileNetV2 on CIFAR-10.</summary>
internal sealed class ImageTables(MergenetOptions options)
{
    /// <summary>The networks' names.</summary>
    public const string Mobile = "MobileNetV2", Residual = "ResNet-18";

    /// <summary>What tables call the training in which both teach each other.</summary>
    public const string Both = "MergeNet R <-> M";

    /// <summary>What table 7 calls the adapter that the others are variants of.</summary>
    public const string Full = "full";

    /// <summary>The adapters' learning rate and cycle, chosen on held-out training samples with seeds of their own (<see cref="Choose"/>).</summary>
    public const double Rate = 1e-3;

    /// <summary>T_cycle, chosen likewise.</summary>
    public const int Cycle = 8;

    /// <summary>What figure 3 tries.</summary>
    public static readonly ImmutableArray<int> Cycles = [1, 2, 3, 4, 5, 8, 16];

    private const string MobileClassifier = "classifier.1.weight", ResidualClassifier = "linear.weight", ResidualLate = "layer4.0.shortcut.0.weight";
    private const int LateBlock = 16;

    private readonly Subject _mobile = Trained(Mobile, "mobilenetv2", "width: 0.25, dropout: 0", options);
    private readonly Subject _residual = Trained(Residual, "resnet18", "width: 0.25", options);

    /// <summary>The image network of table 4.</summary>
    public Subject OfImages => _mobile;

    /// <summary>Without dropout, which was chosen likewise: what is written would be noise on the weights, up to the last step.</summary>
    private static LowRankAdapter Adapter => new() { AttentionDropout = 0, Dropout = 0 };

    private Flow ToMobile => Into(_mobile, Projection(LateBlock), _residual, ResidualClassifier);

    private Flow ToResidual => Into(_residual, ResidualLate, _mobile, MobileClassifier);

    /// <summary>The 1x1 projection that an inverted residual block ends with.</summary>
    public static string Projection(int block) => FormattableString.Invariant($"features.{block}.conv.2.weight");

    /// <summary>The matrix of the image network that a network of another task learns from.</summary>
    public static string Classifier => MobileClassifier;

    /// <summary>Table 1.</summary>
    public IEnumerable<TableEntry> Compare() =>
    [
        .. TableEntry.Of(_mobile),
        .. TableEntry.Of(_residual),
        .. Distilled(_mobile, _residual),
        .. TableEntry.Of("MergeNet R -> M", ToMobile),
        .. TableEntry.Of(Both, ToMobile, ToResidual).Where(entry => entry.Subject == _mobile),
        .. Distilled(_residual, _mobile),
        .. TableEntry.Of(Both, ToMobile, ToResidual).Where(entry => entry.Subject == _residual),
    ];

    /// <summary>The same from the first step on, as in the paper: what else the tables' networks begin with, trained together.</summary>
    public IEnumerable<TableEntry> CompareFromScratch()
    {
        Subject mobile = _mobile.Start!, residual = _residual.Start!;
        return [.. TableEntry.Of(mobile), .. TableEntry.Of(residual), .. Pair(Both, flow => flow), .. Pair($"{Both}, usual", flow => flow.Usual())];

        IEnumerable<TableEntry> Pair(string name, Func<Flow, Flow> change) =>
            TableEntry.Of(name, change(ToMobile with { From = residual, To = mobile }), change(ToResidual with { From = mobile, To = residual }));
    }

    /// <summary>Table 1's transfers with damping, and within a trust region too.</summary>
    public IEnumerable<TableEntry> Damped() =>
    [
        .. TableEntry.Of(_mobile),
        .. TableEntry.Of(_residual),
        .. TableEntry.Of("MergeNet R -> M, damped", ToMobile.Damped()),
        .. TableEntry.Of($"{Both}, damped", ToMobile.Damped(), ToResidual.Damped()),
        .. TableEntry.Of("MergeNet R -> M, usual", ToMobile.Usual()),
        .. TableEntry.Of($"{Both}, usual", ToMobile.Usual(), ToResidual.Usual()),
    ];

    /// <summary>Table 5.</summary>
    public IEnumerable<TableEntry> OfItself() =>
    [
        .. TableEntry.Of(_mobile),
        Teach("Tf-KD", new TfKdReg(), _mobile, null),
        Teach("Tf-KD, own network", new TfKdSelf(), _mobile, _mobile),
        Teach("USKD", new Uskd(), _mobile, null),
        .. new[] { 4, 8, 12, 16 }.SelectMany(block => TableEntry.Of($"classifier -> IRB {block}", Into(_mobile, Projection(block), _mobile, MobileClassifier))),
    ];

    /// <summary>Table 7, and what else decides on an adapter here.</summary>
    public IEnumerable<TableEntry> Ablate() =>
    [
        .. TableEntry.Of(_mobile),
        .. TableEntry.Of(_residual),
        .. Variant("MLP adapter", flow => flow with { Adapter = new MlpAdapter() }),
        .. Variant("individual attention", flow => flow with { Adapter = Adapter with { Unfoldings = Unfoldings.Rows } }),
        .. Variant("average attention", flow => flow with { Adapter = Adapter with { Mixing = Mixing.Average } }),
        .. Variant(Full, flow => flow),
        .. Variant("full, published form", flow => flow with { Adapter = Adapter with { Form = AdapterForm.Published } }),
        .. Variant("full, rank 4", flow => flow with { Rank = 4 }),
        .. Variant("rank 4, nothing transferred", flow => flow with { Rank = 4, Rate = 0 }),
        .. Variant("full, by the chain rule", flow => flow with { Rule = AdapterRule.ChainRule }),
        .. Variant("full, from networks never trained", flow => flow with { FromNothing = true }),
        .. Variant("full, with dropout", flow => flow with { Adapter = new LowRankAdapter() }),
    ];

    /// <summary>Figure 3.</summary>
    public IEnumerable<TableEntry> VaryCycle() =>
    [
        .. TableEntry.Of(_mobile), .. TableEntry.Of(_residual), .. Cycles.SelectMany(cycle => Variant(FormattableString.Invariant($"T_cycle {cycle}"), flow => flow with { Cycle = cycle })),
    ];

    /// <summary>Which rate and cycle adapters get: measured on held-out training samples.</summary>
    public IEnumerable<TableEntry> Choose() =>
    [
        .. TableEntry.Of(_mobile),
        .. TableEntry.Of(_residual),
        .. from tried in new (int Cycle, double Rate, bool Drops)[] { (4, 1e-3, true), (4, 1e-3, false), (4, 1e-4, false), (4, 1e-2, false), (8, 1e-3, false), (8, 1e-3, true) }
           from entry in Variant(
               FormattableString.Invariant($"T_cycle {tried.Cycle}, rate {tried.Rate}{(tried.Drops ? "" : ", no dropout")}"), flow => flow with { Cycle = tried.Cycle, Rate = tried.Rate, Adapter = tried.Drops ? new() : Adapter })
           select entry,
    ];

    private static Flow Into(Subject to, string target, Subject from, string source) => new(from, source, to, target) { Cycle = Cycle, Rate = Rate, Adapter = Adapter };

    private IEnumerable<TableEntry> Variant(string name, Func<Flow, Flow> change) => TableEntry.Of(name, change(ToMobile), change(ToResidual));

    /// <summary>The baselines, with the parameters of their authors' code, but DKD without its warm-up of 20 epochs, of which runs here would not see the end; RKD by the networks' scores, as MergeNet's script has it.</summary>
    private static IEnumerable<TableEntry> Distilled(Subject student, Subject teacher) =>
    [
        Teach("KD", new Kd { Alpha = 0.9 }, student, teacher),
        Teach("RKD", new Rkd { Distance = 1, Angle = 2, Of = RelationsOf.Logits }, student, teacher),
        Teach("DKD", new Dkd { WarmUp = 0 }, student, teacher),
        Teach("NKD", new Nkd(), student, teacher),
    ];

    private static TableEntry Teach(string name, Distillation way, Subject student, Subject? teacher) => new(student.Name, name, new Taught(student, teacher, way), student);

    /// <summary>A network that goes on training after a training alone.</summary>
    private static Subject Trained(string name, string model, string sizes, MergenetOptions options) => new(name, Description(model, sizes, 0.003, 2, 25), options)
    {
        Prepare = data => new HalfImages(data),
        Start = new($"{name} at first", Description(model, sizes, 0.01, 5, 50), options) { Prepare = data => new HalfImages(data) },
    };

    private static string Description(string model, string options, double rate, int epochs, int batch) => FormattableString.Invariant($$"""
        data: {name: cifar10, validation: 2000, limit: 6000, augment: {flip: true}, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201]}
        model: {name: {{model}}, image: [3, 16, 16], {{options}}}
        optimizer: {name: adamw, weight_decay: 1e-4}
        schedule: {name: cosine, warmup: 0.2}
        lr: {{rate}}
        epochs: {{epochs}}
        batch: {{batch}}
        """);
}
