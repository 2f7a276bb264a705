using Amalgam.Checkpoints;
using Amalgam.Numerics;

namespace Amalgam.Benchmarks;

/// <summary>
/// Makes checkpoints of a given size with the names and proportions of a Llama: <c>base</c>, and <c>a</c> and <c>b</c> which differ from it by a few
/// thousandths, in bfloat16. Or, with a tensor count, one folder of many small tensors.
/// </summary>
internal static class CheckpointGenerator
{
    private const int Hidden = 2048, Intermediate = 5632, Vocabulary = 32000, Piece = 1 << 18;

    public static void Run(string folder, long bytes, int tensors)
    {
        Directory.CreateDirectory(folder);
        if (tensors > 0)
        {
            Write(Path.Combine(folder, "many"), [.. Enumerable.Range(0, tensors).Select(i => new TensorSpec($"model.layers.{i / 10}.part{i % 10}.weight", DType.BF16, new(64, 64)))], 0);
            return;
        }

        TensorSpec[] specs = Specs(bytes / 2);
        foreach (var (name, model) in (ReadOnlySpan<(string, int)>)[("base", 0), ("a", 1), ("b", 2)]) Write(Path.Combine(folder, name + ".safetensors"), specs, model);
    }

    /// <summary>Embedding, as many layers as fit, and a last tensor that fills up to the number of parameters.</summary>
    private static TensorSpec[] Specs(long parameters)
    {
        List<TensorSpec> specs = [Spec("model.embed_tokens.weight", Vocabulary, Hidden)];
        long layer = 4L * Hidden * Hidden + 3L * Hidden * Intermediate + 2 * Hidden, used = specs[0].Shape.Count;
        for (int i = 0; used + layer <= parameters; i++, used += layer)
        {
            string name = $"model.layers.{i}.";
            foreach (string part in (ReadOnlySpan<string>)["q_proj", "k_proj", "v_proj", "o_proj"]) specs.Add(Spec($"{name}self_attn.{part}.weight", Hidden, Hidden));
            specs.Add(Spec($"{name}mlp.gate_proj.weight", Intermediate, Hidden));
            specs.Add(Spec($"{name}mlp.up_proj.weight", Intermediate, Hidden));
            specs.Add(Spec($"{name}mlp.down_proj.weight", Hidden, Intermediate));
            specs.Add(new($"{name}input_layernorm.weight", DType.BF16, new(Hidden)));
            specs.Add(new($"{name}post_attention_layernorm.weight", DType.BF16, new(Hidden)));
        }

        if (parameters > used) specs.Add(Spec("lm_head.weight", (parameters - used) / Hidden, Hidden));
        return [.. specs];
    }

    private static TensorSpec Spec(string name, long rows, long columns) => new(name, DType.BF16, new(rows, columns));

    private static void Write(string path, TensorSpec[] specs, int model)
    {
        using CheckpointOutput output = CheckpointOutput.Create(path, specs, new Dictionary<string, string> { ["format"] = "pt" }, new(ShardBytes: 0, Overwrite: true), "generated");
        foreach (TensorSpec spec in specs)
        {
            Parallel.For(0, (spec.Shape.Count + Piece - 1) / Piece, piece =>
            {
                long first = piece * Piece;
                int count = (int)Math.Min(Piece, spec.Shape.Count - first);
                float[] values = new float[count], deltas = new float[count];
                Normal(Philox.Key(1, spec.Name, 0), first, 0.02f, values);
                if (model > 0) Normal(Philox.Key(1, spec.Name, model), first, 0.002f, deltas);
                for (int i = 0; i < count; i++) values[i] += deltas[i];
                byte[] bytes = new byte[2 * count];
                DType.BF16.Narrow(values, bytes);
                output.Write(spec.Name, first, bytes);
            });
        }

        output.Commit();
    }

    /// <summary>The sum of four uniform numbers is normal enough for timing.</summary>
    private static void Normal(ulong key, long first, float scale, Span<float> y)
    {
        uint[] draws = new uint[y.Length];
        Philox.Fill(key, first, draws);
        for (int i = 0; i < y.Length; i++)
        {
            uint d = draws[i];
            y[i] = (int)((d & 255) + ((d >> 8) & 255) + ((d >> 16) & 255) + (d >> 24) - 510) / 147f * scale;
        }
    }
}
