using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>Small folders as save_pretrained writes them, with random weights, against the formulas in double precision.</summary>
public class HuggingFaceTests
{
    private const int Hidden = 8, Inner = 20, Vocabulary = 23, Positions = 12, Length = 7;

    private static readonly int[][] Ids = [[5, 3, 9, 2, 20, 4, 6], [7, 8, 2, 1, 1, 1, 1]];
    private static readonly int[] Words = [7, 3];

    private const string BertConfig = """{"model_type": "bert", "architectures": ["ARCHITECTURE"], "vocab_size": 23, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20, "max_position_embeddings": 12, "hidden_act": "ACT", "id2label": {"0": "a", "1": "b", "2": "c"}}""";

    [Theory]
    [InlineData("BertForSequenceClassification", "gelu", false)]
    [InlineData("BertForSequenceClassification", "relu", true)]
    [InlineData("BertModel", "gelu", false)]
    [InlineData("BertForMaskedLM", "gelu", false)]
    public void Bert_gives_what_the_formulas_say(string architecture, string activation, bool old)
    {
        string prefix = architecture == "BertModel" ? "" : "bert.";
        bool classifies = architecture.EndsWith("Classification", StringComparison.Ordinal);
        Weights weights = new();
        AddBert(weights, prefix, 2, old);
        if (architecture != "BertForMaskedLM") weights.Linear($"{prefix}pooler.dense", Hidden, Hidden);
        if (classifies) weights.Linear("classifier", 3, Hidden);
        if (architecture == "BertForMaskedLM") weights.Add("cls.predictions.bias", [Vocabulary]);
        weights.Add($"{prefix}embeddings.position_ids", [1, Positions]);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, BertConfig.Replace("ARCHITECTURE", architecture, StringComparison.Ordinal).Replace("ACT", activation, StringComparison.Ordinal));

        HuggingFaceModel model = HuggingFace.Load(folder.Path, 2, Length);
        Assert.Equal(weights.Names.Where(n => !n.EndsWith("position_ids", StringComparison.Ordinal) && !n.StartsWith("cls.", StringComparison.Ordinal)).Order(), model.Graph.Parameters.Keys.Order());
        Assert.Equal(architecture == "BertForMaskedLM" ? 1 : 0, model.Notes.Length);
        Executor executor = Run(model.Graph);

        NaiveTransformer naive = new(weights.All);
        for (int sample = 0; sample < 2; sample++)
        {
            double[][] x = [.. Ids[sample].Select((id, t) => naive.Norm(
                NaiveTransformer.Add(NaiveTransformer.Add(naive.Row($"{prefix}embeddings.word_embeddings.weight", id), naive.Row($"{prefix}embeddings.position_embeddings.weight", t)),
                    naive.Row($"{prefix}embeddings.token_type_embeddings.weight", t % 2)),
                $"{prefix}embeddings.LayerNorm", 1e-12))];
            for (int i = 0; i < 2; i++) x = naive.Apply(x, $"{prefix}encoder.layer.{i}.", BertBlock(1e-12, activation == "gelu" ? NaiveTransformer.Gelu : v => Math.Max(0, v)), (_, s) => s < Words[sample]);
            double[] pooled = architecture == "BertForMaskedLM" ? [] : [.. naive.Linear(x[0], $"{prefix}pooler.dense").Select(Math.Tanh)];
            if (classifies)
            {
                Near(naive.Linear(pooled, "classifier"), executor["logits"], sample);
                continue;
            }

            Near([.. x.SelectMany(v => v)], executor["last_hidden_state"], sample);
            if (pooled.Length > 0) Near(pooled, executor["pooler_output"], sample);
            else Assert.False(executor.Has("pooler_output"));
        }
    }

    [Fact]
    public void Roberta_counts_positions_from_the_padding_on()
    {
        Weights weights = new();
        AddBert(weights, "roberta.", 1, false);
        weights.Linear("classifier.dense", Hidden, Hidden);
        weights.Linear("classifier.out_proj", 2, Hidden);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, """{"model_type": "roberta", "architectures": ["RobertaForSequenceClassification"], "vocab_size": 23, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20, "max_position_embeddings": 12, "layer_norm_eps": 1e-5, "type_vocab_size": 1, "pad_token_id": 1}""");
        Executor executor = Run(HuggingFace.Load(folder.Path, 2, Length).Graph, segments: false);

        NaiveTransformer naive = new(weights.All);
        for (int sample = 0; sample < 2; sample++)
        {
            double[][] x = [.. Ids[sample].Select((id, t) => naive.Norm(
                NaiveTransformer.Add(NaiveTransformer.Add(naive.Row("roberta.embeddings.word_embeddings.weight", id), naive.Row("roberta.embeddings.position_embeddings.weight", id == 1 ? 1 : t + 2)),
                    naive.Row("roberta.embeddings.token_type_embeddings.weight", 0)),
                "roberta.embeddings.LayerNorm", 1e-5))];
            for (int i = 0; i < 2; i++) x = naive.Apply(x, $"roberta.encoder.layer.{i}.", BertBlock(1e-5, NaiveTransformer.Gelu), (_, s) => s < Words[sample]);
            Near(naive.Linear([.. naive.Linear(x[0], "classifier.dense").Select(Math.Tanh)], "classifier.out_proj"), executor["logits"], sample);
        }
    }

    [Fact]
    public void DistilBert_gives_what_the_formulas_say()
    {
        Weights weights = new();
        weights.Add("distilbert.embeddings.word_embeddings.weight", [Vocabulary, Hidden]);
        weights.Add("distilbert.embeddings.position_embeddings.weight", [Positions, Hidden]);
        weights.Norm("distilbert.embeddings.LayerNorm");
        for (int i = 0; i < 2; i++)
        {
            string block = $"distilbert.transformer.layer.{i}";
            foreach (string part in (string[])["q_lin", "k_lin", "v_lin", "out_lin"]) weights.Linear($"{block}.attention.{part}", Hidden, Hidden);
            weights.Norm($"{block}.sa_layer_norm");
            weights.Linear($"{block}.ffn.lin1", Inner, Hidden);
            weights.Linear($"{block}.ffn.lin2", Hidden, Inner);
            weights.Norm($"{block}.output_layer_norm");
        }

        weights.Linear("pre_classifier", Hidden, Hidden);
        weights.Linear("classifier", 2, Hidden);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, """{"model_type": "distilbert", "vocab_size": 23, "dim": 8, "n_layers": 2, "n_heads": 4, "hidden_dim": 20, "max_position_embeddings": 12, "activation": "gelu"}""");
        Executor executor = Run(HuggingFace.Load(folder.Path, 2, Length).Graph);

        NaiveTransformer naive = new(weights.All);
        NaiveTransformer.Block parts = new("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm", 4, 1e-12);
        for (int sample = 0; sample < 2; sample++)
        {
            double[][] x = [.. Ids[sample].Select((id, t) => naive.Norm(
                NaiveTransformer.Add(naive.Row("distilbert.embeddings.word_embeddings.weight", id), naive.Row("distilbert.embeddings.position_embeddings.weight", t)), "distilbert.embeddings.LayerNorm", 1e-12))];
            for (int i = 0; i < 2; i++) x = naive.Apply(x, $"distilbert.transformer.layer.{i}.", parts, (_, s) => s < Words[sample]);
            Near(naive.Linear([.. naive.Linear(x[0], "pre_classifier").Select(v => Math.Max(0, v))], "classifier"), executor["logits"], sample);
        }
    }

    [Theory]
    [InlineData("ViTForImageClassification", true)]
    [InlineData("ViTModel", false)]
    public void Vit_gives_what_the_formulas_say(string architecture, bool bias)
    {
        string prefix = architecture == "ViTModel" ? "" : "vit.";
        Weights weights = new();
        weights.Add($"{prefix}embeddings.cls_token", [1, 1, Hidden]);
        weights.Add($"{prefix}embeddings.position_embeddings", [1, 5, Hidden]);
        weights.Add($"{prefix}embeddings.patch_embeddings.projection.weight", [Hidden, 3, 4, 4]);
        weights.Add($"{prefix}embeddings.patch_embeddings.projection.bias", [Hidden]);
        for (int i = 0; i < 2; i++)
        {
            string block = $"{prefix}encoder.layer.{i}";
            foreach (string part in (string[])["query", "key", "value"]) weights.Linear($"{block}.attention.attention.{part}", Hidden, Hidden, bias);
            weights.Linear($"{block}.attention.output.dense", Hidden, Hidden);
            weights.Linear($"{block}.intermediate.dense", Inner, Hidden);
            weights.Linear($"{block}.output.dense", Hidden, Inner);
            weights.Norm($"{block}.layernorm_before");
            weights.Norm($"{block}.layernorm_after");
        }

        weights.Norm($"{prefix}layernorm");
        weights.Linear(prefix == "" ? "pooler.dense" : "classifier", prefix == "" ? Hidden : 2, Hidden);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, $$"""{"model_type": "vit", "architectures": ["{{architecture}}"], "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20, "image_size": 8, "patch_size": 4, "qkv_bias": {{(bias ? "true" : "false")}}}""");
        Graph graph = HuggingFace.Load(folder.Path, 2).Graph;
        Executor executor = new(graph);
        Random random = new(4);
        foreach (ref float pixel in executor["image"].Span) pixel = (float)((random.NextDouble() * 2) - 1);
        executor.Run();

        NaiveTransformer naive = new(weights.All);
        NaiveTransformer.Block parts = new("attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense", "layernorm_before",
            "intermediate.dense", "output.dense", "layernorm_after", 2, 1e-12)
        { NormFirst = true };
        for (int sample = 0; sample < 2; sample++)
        {
            double[][] x = new double[5][];
            x[0] = NaiveTransformer.Add(naive.Row($"{prefix}embeddings.cls_token", 0), naive.Row($"{prefix}embeddings.position_embeddings", 0));
            for (int patch = 0; patch < 4; patch++)
            {
                double[] pixels = new double[48];
                for (int i = 0; i < 48; i++)
                {
                    int channel = i / 16, row = (patch / 2 * 4) + (i / 4 % 4), column = (patch % 2 * 4) + (i % 4);
                    pixels[i] = executor["image"].Span[(((sample * 3) + channel) * 64) + (row * 8) + column];
                }

                x[patch + 1] = NaiveTransformer.Add(naive.Linear(pixels, $"{prefix}embeddings.patch_embeddings.projection"), naive.Row($"{prefix}embeddings.position_embeddings", patch + 1));
            }

            for (int i = 0; i < 2; i++) x = naive.Apply(x, $"{prefix}encoder.layer.{i}.", parts, (_, _) => true);
            x = [.. x.Select(v => naive.Norm(v, $"{prefix}layernorm", 1e-12))];
            if (prefix == "")
            {
                Near([.. x.SelectMany(v => v)], executor["last_hidden_state"], sample);
                Near([.. naive.Linear(x[0], "pooler.dense").Select(Math.Tanh)], executor["pooler_output"], sample);
            }
            else
            {
                Near(naive.Linear(x[0], "classifier"), executor["logits"], sample);
            }
        }
    }

    [Fact]
    public void Shards_are_read_like_one_file()
    {
        Weights weights = new();
        AddBert(weights, "bert.", 2, false);
        weights.Linear("bert.pooler.dense", Hidden, Hidden);
        weights.Linear("classifier", 3, Hidden);
        string config = BertConfig.Replace("ARCHITECTURE", "BertForSequenceClassification", StringComparison.Ordinal).Replace("ACT", "gelu", StringComparison.Ordinal);
        using TemporaryFolder whole = new(), shards = new();
        weights.Write(whole.Path, config);
        weights.Write(shards.Path, config, shards: 3);
        Assert.Equal(Run(HuggingFace.Load(whole.Path, 2, Length).Graph)["logits"].Span.ToArray(), Run(HuggingFace.Load(shards.Path, 2, Length).Graph)["logits"].Span.ToArray());
    }

    [Fact]
    public void Every_tensor_that_does_not_fit_is_named_at_once()
    {
        Weights weights = new();
        AddBert(weights, "bert.", 2, false);
        weights.Linear("bert.pooler.dense", Hidden + 1, Hidden);
        weights.Add("bert.encoder.layer.2.stray", [3]);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, BertConfig.Replace("ARCHITECTURE", "BertForSequenceClassification", StringComparison.Ordinal).Replace("ACT", "gelu", StringComparison.Ordinal));
        string message = Assert.Throws<InvalidDataException>(() => HuggingFace.Load(folder.Path)).Message;
        Assert.Contains("2 missing: 'classifier.weight' [3,8], 'classifier.bias' [3]", message, StringComparison.Ordinal);
        Assert.Contains("1 unexpected: 'bert.encoder.layer.2.stray' [3]", message, StringComparison.Ordinal);
        Assert.Contains("2 of another shape: 'bert.pooler.dense.weight' [9,8], expected [8,8], 'bert.pooler.dense.bias' [9], expected [8]", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"vocab_size": 3}""", "'model_type' is missing; supported: bert, distilbert, roberta, vit")]
    [InlineData("""{"model_type": "llama"}""", "'model_type' 'llama' is not supported")]
    [InlineData("""{"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 0, "num_attention_heads": 3, "hidden_act": "gelu_fast", "position_embedding_type": "relative_key", "is_decoder": true}""",
        "'is_decoder' True is not supported; 'position_embedding_type' relative_key is not supported; supported: absolute; 3 heads do not divide 8 units; 'vocab_size' is missing; 'num_hidden_layers' must be a whole number from 1 on, found 0; 'intermediate_size' is missing; 'hidden_act' gelu_fast is not supported")]
    [InlineData("""{"model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 9, "image_size": 30, "patch_size": 16}""", "patches of 16 do not fill an image of 30")]
    [InlineData("[1]", "is not a JSON object")]
    [InlineData("{", "is not JSON")]
    public void Configurations_that_cannot_be_built_are_refused_with_all_reasons(string config, string message)
    {
        Weights weights = new();
        weights.Add("w", [1]);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, config);
        string found = Assert.Throws<InvalidDataException>(() => HuggingFace.Load(folder.Path)).Message;
        Assert.StartsWith(folder["config.json"], found, StringComparison.Ordinal);
        Assert.Contains(message, found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vocab_size\": 23", "vocab_size\": 2000000000")]
    [InlineData("num_hidden_layers\": 2", "num_hidden_layers\": 2000000000")]
    [InlineData("intermediate_size\": 20", "intermediate_size\": 2000000000")]
    public void A_configuration_far_larger_than_its_checkpoint_takes_no_memory(string from, string to)
    {
        Weights weights = new();
        AddBert(weights, "", 2, false);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, BertConfig.Replace("ARCHITECTURE", "BertModel", StringComparison.Ordinal).Replace("ACT", "gelu", StringComparison.Ordinal).Replace(from, to, StringComparison.Ordinal));
        Assert.Contains("they do not belong together", Assert.Throws<InvalidDataException>(() => HuggingFace.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_longer_than_the_positions_are_refused()
    {
        Weights weights = new();
        AddBert(weights, "", 2, false);
        using TemporaryFolder folder = new();
        weights.Write(folder.Path, BertConfig.Replace("ARCHITECTURE", "BertModel", StringComparison.Ordinal).Replace("ACT", "gelu", StringComparison.Ordinal));
        Assert.Contains("the model has 12 positions, texts of 13 ids were asked for", Assert.Throws<InvalidDataException>(() => HuggingFace.Load(folder.Path, 1, 13)).Message, StringComparison.Ordinal);
        Assert.Equal(12, HuggingFace.Load(folder.Path).Graph.Inputs["input_ids"].Shape[1]);
    }

    private static NaiveTransformer.Block BertBlock(double epsilon, Func<double, double> activation) => new(
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm", 2, epsilon)
    { Activation = activation };

    private static void AddBert(Weights weights, string prefix, int segments, bool old)
    {
        weights.Add($"{prefix}embeddings.word_embeddings.weight", [Vocabulary, Hidden]);
        weights.Add($"{prefix}embeddings.position_embeddings.weight", [Positions, Hidden]);
        weights.Add($"{prefix}embeddings.token_type_embeddings.weight", [segments, Hidden]);
        weights.Norm($"{prefix}embeddings.LayerNorm", old);
        for (int i = 0; i < 2; i++)
        {
            string block = $"{prefix}encoder.layer.{i}";
            foreach (string part in (string[])["self.query", "self.key", "self.value", "output.dense"]) weights.Linear($"{block}.attention.{part}", Hidden, Hidden);
            weights.Norm($"{block}.attention.output.LayerNorm", old);
            weights.Linear($"{block}.intermediate.dense", Inner, Hidden);
            weights.Linear($"{block}.output.dense", Hidden, Inner);
            weights.Norm($"{block}.output.LayerNorm", old);
        }
    }

    private static Executor Run(Graph graph, bool segments = true)
    {
        Executor executor = new(graph);
        for (int i = 0; i < 2 * Length; i++)
        {
            executor["input_ids"].Span[i] = Ids[i / Length][i % Length];
            executor["attention_mask"].Span[i] = i % Length < Words[i / Length] ? 1 : 0;
            if (segments && executor.Has("token_type_ids")) executor["token_type_ids"].Span[i] = i % Length % 2;
        }

        executor.Run();
        return executor;
    }

    private static void Near(double[] expected, Tensor actual, int sample)
    {
        double scale = expected.Max(Math.Abs);
        ReadOnlySpan<float> found = actual.Span.Slice(sample * expected.Length, expected.Length);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(found[i], expected[i] - (1e-5 * scale), expected[i] + (1e-5 * scale));
    }

    /// <summary>Random tensors of a model.</summary>
    private sealed class Weights
    {
        private readonly Random _random = new(1);
        private readonly List<(string Name, Shape Shape, float[] Values)> _tensors = [];

        public IEnumerable<string> Names => _tensors.Select(t => t.Name);

        public IReadOnlyDictionary<string, (Shape, float[])> All => _tensors.ToDictionary(t => t.Name, t => (t.Shape, t.Values));

        public void Add(string name, long[] shape, double around = 0)
        {
            Shape sizes = new(shape);
            _tensors.Add((name, sizes, [.. Enumerable.Range(0, (int)sizes.Count).Select(_ => (float)(around + _random.NextDouble() - 0.5))]));
        }

        public void Linear(string name, int outputs, int inputs, bool bias = true)
        {
            Add($"{name}.weight", [outputs, inputs]);
            if (bias) Add($"{name}.bias", [outputs]);
        }

        public void Norm(string name, bool old = false)
        {
            Add($"{name}.{(old ? "gamma" : "weight")}", [Hidden], 1);
            Add($"{name}.{(old ? "beta" : "bias")}", [Hidden]);
        }

        public void Write(string folder, string config, int shards = 1)
        {
            if (shards == 1)
            {
                TestModel.Write(Path.Combine(folder, "model.safetensors"), DType.F32, [.. _tensors]);
            }
            else
            {
                string[] files = [.. Enumerable.Range(1, shards).Select(i => $"model-{i:D5}-of-{shards:D5}.safetensors")];
                for (int i = 0; i < shards; i++) TestModel.Write(Path.Combine(folder, files[i]), DType.F32, [.. _tensors.Where((_, t) => t % shards == i)]);
                string map = string.Join(", ", _tensors.Select((t, i) => $"\"{t.Name}\": \"{files[i % shards]}\""));
                File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), $"{{\"weight_map\": {{{map}}}}}");
            }

            File.WriteAllText(Path.Combine(folder, "config.json"), config);
        }
    }
}
