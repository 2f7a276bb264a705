using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Tables 3, 4 and 6: encoders of text, on two tasks, beside a network for images, and layer by layer.</summary>
internal sealed class TextTables(MergenetOptions options)
{
    /// <summary>The encoder of the sentiment task, and the deeper ones of both tasks.</summary>
    public const string Sentiment = "BERT-2 on SST-2", Entailment = "BERT-4 on RTE", Deeper = "BERT-4 on SST-2";

    /// <summary>What tables call the training in which both teach each other.</summary>
    public const string Both = "both";

    /// <summary>The adapters' learning rate, chosen on held-out training samples with a seed of their own (<see cref="Choose"/>).</summary>
    public const double Rate = 1e-3;

    /// <summary>T_cycle, chosen likewise.</summary>
    public const int Cycle = 2;

    private const int Other = 100;

    private readonly ImageTables _images = new(options);
    private readonly Subject _sentiment = new(Sentiment, Description("sst2", 32, 8192, 2, 12000, 2, 64), options);
    private readonly Subject _entailment = new(Entailment, Description("rte", 64, 4096, 4, 2000, 6, 32), options) { Shift = Other };
    private readonly Subject _deeper = new(Deeper, Description("sst2", 32, 8192, 4, 12000, 2, 64), options) { Shift = Other };

    private static LowRankAdapter Adapter => new() { Heads = 12 };

    /// <summary>Table 3: the value matrices of the last layers.</summary>
    public IEnumerable<TableEntry> TwoTasks() => BothWays(_sentiment, Value(2), _entailment, Value(4), "RTE -> SST-2", "SST-2 -> RTE");

    /// <summary>Table 4: the value matrix of the encoder's last layer and the classifier of the network for images.</summary>
    public IEnumerable<TableEntry> TextAndImages() => BothWays(_sentiment, Value(2), _images.OfImages, ImageTables.Classifier, "images -> text", "text -> images");

    /// <summary>Table 6: value matrices of the deeper encoder teach those of the other, on the same task.</summary>
    public IEnumerable<TableEntry> LayerToLayer() =>
    [
        TableEntry.Of(_sentiment),
        .. from pair in new (int From, int To)[] { (2, 1), (4, 1), (2, 2), (4, 2) }
           from entry in TableEntry.Of($"layer {pair.From} -> layer {pair.To}", Flow(_deeper, Value(pair.From), _sentiment, Value(pair.To)))
           select entry,
    ];

    /// <summary>Which rate and cycle adapters between encoders get: measured on held-out training samples.</summary>
    public IEnumerable<TableEntry> Choose() =>
    [
        TableEntry.Of(_sentiment),
        .. from tried in new (int Cycle, double Rate)[] { (2, 1e-2), (2, 1e-3), (2, 1e-4), (1, 1e-3), (4, 1e-3) }
           from entry in TableEntry.Of(FormattableString.Invariant($"T_cycle {tried.Cycle}, rate {tried.Rate}"), Flow(_deeper, Value(4), _sentiment, Value(2)) with { Cycle = tried.Cycle, Rate = tried.Rate })
           select entry,
    ];

    private static IEnumerable<TableEntry> BothWays(Subject a, string ofA, Subject b, string ofB, string toA, string toB)
    {
        Flow intoA = Flow(b, ofB, a, ofA), intoB = Flow(a, ofA, b, ofB);
        return [TableEntry.Of(a), .. TableEntry.Of(toA, intoA), TableEntry.Of(b), .. TableEntry.Of(toB, intoB), .. TableEntry.Of(Both, intoA, intoB)];
    }

    private static Flow Flow(Subject from, string source, Subject to, string target) => new(from, source, to, target) { Cycle = Cycle, Rate = Rate, Adapter = Adapter };

    /// <summary>The value matrix of a layer, from 1 on.</summary>
    private static string Value(int layer) => FormattableString.Invariant($"bert.encoder.layer.{layer - 1}.attention.self.value.weight");

    private static string Description(string data, int length, int pieces, int depth, int samples, int epochs, int batch) => $$"""
        data: {name: {{data}}, options: {length: {{length}}, vocabulary: {{pieces}}}, validation: 400, limit: {{samples}}}
        model: {name: bert, hidden: 64, inner: 128, depth: {{depth}}, heads: 2, length: {{length}}, vocabulary: {{pieces}}, positions: {{length}}, dropout: 0.1}
        optimizer: {name: adamw, weight_decay: 0.01, decay_vectors: false, clip_norm: 1}
        schedule: {name: linear, warmup: 0.2}
        lr: 1e-3
        epochs: {{epochs}}
        batch: {{batch}}
        """;
}
