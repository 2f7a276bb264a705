using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Tables 3, 4 and 6: encoders of text, on two tasks, beside a network for images, and layer by layer.</summary>
internal sealed class TextTables(MergenetOptions options)
{
    /// <summary>The encoders, named by their number of layers and their task.</summary>
    public const string Sentiment = "BERT-4 on SST-2", Order = "BERT-2 on sst2-order", Entailment = "BERT-2 on RTE", Shallow = "BERT-2 on SST-2";

    /// <summary>What tables call the training in which both teach each other.</summary>
    public const string Both = "both";

    /// <summary>The adapters' learning rate, chosen on held-out training samples with a seed of their own (<see cref="Choose"/>).</summary>
    public const double Rate = 1e-3;

    /// <summary>T_cycle, the paper's in one of the two directions.</summary>
    public const int Cycle = 2;

    private const int Other = 100, Heads = 12;

    private readonly ImageTables _images = new(options);
    private readonly Subject _sentiment = Trained(Sentiment, 0, OfReviews("sst2", 4), 3, 1, options);
    private readonly Subject _order = Trained(Order, Other, OfReviews("sst2-order", 2), 5, 1, options);
    private readonly Subject _shallow = Trained(Shallow, Other, OfReviews("sst2", 2), 3, 1, options);
    private readonly Subject _entailment = Trained(Entailment, Other, (rate, epochs) => Description("rte", 64, 2, 0.2, 0.1, rate, 2000, epochs), 9, 3, options);

    /// <summary>What adapters between encoders are, here and in table 2, chosen likewise.</summary>
    public static LowRankAdapter Adapter => new() { Heads = Heads };

    /// <summary>Table 3: the value matrices of the last layers.</summary>
    public IEnumerable<TableEntry> TwoTasks() =>
    [
        .. BothWays(_sentiment, Value(4), _order, Value(2), "sst2-order -> SST-2", "SST-2 -> sst2-order"),
        .. TableEntry.Of("never trained -> SST-2", Flow(_order, Value(2), _sentiment, Value(4)) with { FromNothing = true }),
        .. TableEntry.Of("never trained -> sst2-order", Flow(_sentiment, Value(4), _order, Value(2)) with { FromNothing = true }),
        .. TableEntry.Of(_entailment),
        .. TableEntry.Of("SST-2 -> RTE", Flow(_sentiment, Value(4), _entailment, Value(2))),
    ];

    /// <summary>Table 3's transfers with damping, and within a trust region too.</summary>
    public IEnumerable<TableEntry> Damped() => BothDamped(Flow(_order, Value(2), _sentiment, Value(4)), Flow(_sentiment, Value(4), _order, Value(2)));

    /// <summary>Table 4: the value matrix of the encoder's last layer and the classifier of the network for images.</summary>
    public IEnumerable<TableEntry> TextAndImages() => BothWays(_sentiment, Value(4), _images.OfImages, ImageTables.Classifier, "images -> text", "text -> images");

    /// <summary>Table 4's transfers likewise.</summary>
    public IEnumerable<TableEntry> TextAndImagesDamped() => BothDamped(Flow(_images.OfImages, ImageTables.Classifier, _sentiment, Value(4)), Flow(_sentiment, Value(4), _images.OfImages, ImageTables.Classifier));

    /// <summary>Table 6: value matrices of the deeper encoder teach those of the other, on the same task.</summary>
    public IEnumerable<TableEntry> LayerToLayer() =>
    [
        .. TableEntry.Of(_shallow),
        .. from pair in new (int From, int To)[] { (2, 1), (4, 1), (2, 2), (4, 2) }
           from entry in TableEntry.Of($"layer {pair.From} -> layer {pair.To}", Flow(_sentiment, Value(pair.From), _shallow, Value(pair.To)))
           select entry,
    ];

    /// <summary>Which rate and cycle adapters between encoders get: measured on held-out training samples.</summary>
    public IEnumerable<TableEntry> Choose() =>
    [
        .. TableEntry.Of(_order),
        .. from rate in new[] { 1e-3, 1e-4 }
           from dropped in new[] { true, false }
           from entry in TableEntry.Of(
               FormattableString.Invariant($"rate {rate}{(dropped ? "" : ", no dropout")}"), Flow(_sentiment, Value(4), _order, Value(2)) with { Rate = rate, Adapter = dropped ? Adapter : Adapter with { AttentionDropout = 0, Dropout = 0 } })
           select entry,
    ];

    private static IEnumerable<TableEntry> BothWays(Subject a, string ofA, Subject b, string ofB, string toA, string toB)
    {
        Flow intoA = Flow(b, ofB, a, ofA), intoB = Flow(a, ofA, b, ofB);
        return [.. TableEntry.Of(a), .. TableEntry.Of(toA, intoA), .. TableEntry.Of(b), .. TableEntry.Of(toB, intoB), .. TableEntry.Of(Both, intoA, intoB)];
    }

    private static IEnumerable<TableEntry> BothDamped(Flow a, Flow b) =>
        [.. TableEntry.Of(a.To), .. TableEntry.Of(b.To), .. TableEntry.Of($"{Both}, damped", a.Damped(), b.Damped()), .. TableEntry.Of($"{Both}, usual", a.Usual(), b.Usual())];

    private static Flow Flow(Subject from, string source, Subject to, string target) => new(from, source, to, target) { Cycle = Cycle, Rate = Rate, Adapter = Adapter };

    /// <summary>The value matrix of a layer, from 1 on.</summary>
    private static string Value(int layer) => FormattableString.Invariant($"bert.encoder.layer.{layer - 1}.attention.self.value.weight");

    private static Func<double, int, string> OfReviews(string data, int depth) => (rate, epochs) => Description(data, 32, depth, 0.1, 0.01, rate, 20000, epochs);

    /// <summary>An encoder that goes on training after a training alone.</summary>
    private static Subject Trained(string name, int shift, Func<double, int, string> description, int first, int then, MergenetOptions options) =>
        new(name, description(5e-4, then), options) { Shift = shift, Start = new($"{name} at first", description(1e-3, first), options) { Shift = shift } };

    private static string Description(string data, int length, int depth, double dropout, double decay, double rate, int samples, int epochs) => FormattableString.Invariant($$"""
        data: {name: {{data}}, options: {length: {{length}}, vocabulary: 4096}, validation: {{(data == "rte" ? 400 : 2000)}}, limit: {{samples}}}
        model: {name: bert, hidden: 64, inner: 128, depth: {{depth}}, heads: 4, length: {{length}}, vocabulary: 4096, positions: {{length}}, dropout: {{dropout}}}
        optimizer: {name: adamw, weight_decay: {{decay}}, decay_vectors: false, clip_norm: 1}
        schedule: {name: linear, warmup: 0.2}
        lr: {{rate}}
        epochs: {{epochs}}
        batch: 32
        """);
}
