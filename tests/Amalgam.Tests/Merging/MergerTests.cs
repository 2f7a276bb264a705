using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Numerics;
using Amalgam.Tests.Merging.Planning;

namespace Amalgam.Tests.Merging;

/// <summary>Runs: shards, resuming, what is there already, cancelling, values that are not finite, tensors of more than 2^31 elements.</summary>
public sealed class MergerTests : IDisposable
{
    private const string Mean = "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\n";

    private readonly Workplace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Shards_stay_below_the_budget_in_natural_order_with_an_index()
    {
        _work.Layers("a", 12).Layers("b", 12, 2);
        MergeOptions options = new() { Output = new(ShardBytes: 20) };
        var merged = _work.Run("merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]", "out", options);
        Assert.Equal(14, merged.Count);
        Assert.Equal(5, merged["model.layers.4.mlp.weight"].Values[0]);
        Assert.True(File.Exists(Path.Combine(_work["out"], "model.safetensors.index.json")));
        string[] shards = [.. Directory.GetFiles(_work["out"], "*.safetensors").Order(StringComparer.Ordinal)];
        Assert.Equal(3, shards.Length);
        Assert.All(shards, s => Assert.InRange(TestModel.Read(s).Sum(t => 4 * t.Value.Values.Length), 1, 20));
        Assert.Contains("model.layers.2.mlp.weight", TestModel.Read(shards[0]).Keys);
        Assert.Contains("model.layers.11.mlp.weight", TestModel.Read(shards[2]).Keys);
    }

    [Theory]
    [InlineData("tensor_union: true", null)]
    [InlineData("tensor_intersection: true", "mlp:hidden=4")]
    public void What_a_checkpoint_is_of_goes_with_its_tensors_alone(string rule, string? expected)
    {
        foreach (var (name, more) in new[] { ("a", Array.Empty<TensorSpec>()), ("b", [new TensorSpec("extra", DType.F32, new(2))]) })
        {
            using CheckpointOutput output = CheckpointOutput.Create(
                _work[$"{name}.safetensors"], [new("w", DType.F32, new(2)), .. more], new Dictionary<string, string> { ["amalgam.model"] = "mlp:hidden=4", ["other"] = "x" }, new(), "test");
            foreach (TensorSpec tensor in more.Prepend(new("w", DType.F32, new(2)))) output.Write(tensor.Name, 0, new byte[8]);
            output.Commit();
        }

        _work.Run($"{Mean}{rule}\n", "out.safetensors");
        using Checkpoint merged = Checkpoint.Open(_work["out.safetensors"]);
        Assert.Equal(expected, merged.Metadata.GetValueOrDefault("amalgam.model"));
        Assert.False(merged.Metadata.ContainsKey("other"));
    }

    [Fact]
    public void A_resumed_run_ends_in_the_same_bytes_and_does_not_repeat_what_is_done()
    {
        _work.Layers("a", 3).Layers("b", 3, 2);
        const string Recipe = "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\n";
        _work.Run(Recipe, "whole");
        byte[] whole = File.ReadAllBytes(Path.Combine(_work["whole"], "model.safetensors"));
        foreach (bool marked in (bool[])[false, true])
        {
            // What a killed run leaves: a file of full size, here with the last tensor missing and the first one marked, and a journal that may end within a line.
            using RecipeRun run = _work.Read(Recipe);
            byte[] partial = [.. whole];
            partial.AsSpan(^4).Fill(0x55);
            string work = Directory.CreateDirectory(_work["out.partial"]).FullName;
            File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(work, "output")).FullName, "model.safetensors"), partial);
            string done = marked ? "\"model.norm.weight\"\n" : "";
            File.WriteAllText(Path.Combine(work, "journal"), $"amalgam \"{run.Plans[0].Fingerprint(run.Text, 0, 5_000_000_000)}\"\n\"model.embed_tokens.weight\"\n{done}\"model.lay");
            run.Run(_work["out"], new() { Output = new(Resume: true) });
            Assert.Equal(marked ? partial : whole, File.ReadAllBytes(Path.Combine(_work["out"], "model.safetensors")));
            Assert.Equal(Directory.GetFiles(_work["whole"]).Select(Path.GetFileName).Order(), Directory.GetFiles(_work["out"]).Select(Path.GetFileName).Order());
            Directory.Delete(_work["out"], true);
        }
    }

    [Fact]
    public void What_another_recipe_left_is_not_resumed()
    {
        _work.Vector("a.safetensors", 1).Vector("b.safetensors", 2);
        using RecipeRun run = _work.Read(Mean), other = _work.Read(Mean + "# lambda 0.1234567 and 0.1234568 look the same in an explanation\n");
        Directory.CreateDirectory(_work["out.safetensors.partial"]);
        File.WriteAllText(Path.Combine(_work["out.safetensors.partial"], "journal"), $"amalgam \"{other.Plans[0].Fingerprint(other.Text, 0, 5_000_000_000)}\"\n");
        Assert.Contains("another recipe", Assert.Throws<IOException>(() => run.Run(_work["out.safetensors"], new() { Output = new(Resume: true) })).Message);
        run.Run(_work["out.safetensors"], new());
        Assert.Equal([1.5f], TestModel.Read(_work["out.safetensors"])["w"].Values);
    }

    [Fact]
    public void What_is_there_is_replaced_only_when_asked_and_only_if_it_is_a_checkpoint()
    {
        _work.Vector("a.safetensors", 1).Vector("b.safetensors", 2).Vector("out.safetensors", 9);
        MergeOptions overwrite = new() { Output = new(Overwrite: true) };
        Assert.Contains("--overwrite", Assert.Throws<IOException>(() => _work.Run(Mean)).Message);
        Assert.Equal([1.5f], _work.Run(Mean, options: overwrite)["w"].Values);
        Directory.CreateDirectory(_work["strange"]);
        File.WriteAllText(Path.Combine(_work["strange"], "thesis.docx"), "");
        Assert.Contains("'thesis.docx'", Assert.Throws<IOException>(() => _work.Run(Mean, "strange", overwrite)).Message);
        Directory.CreateDirectory(_work["folder.safetensors"]);
        Assert.Contains("expected a file", Assert.Throws<IOException>(() => _work.Run(Mean, "folder.safetensors", overwrite)).Message);
        File.WriteAllText(_work["file"], "");
        Assert.Contains("expected a folder", Assert.Throws<IOException>(() => _work.Run(Mean, "file", overwrite)).Message);
    }

    [Fact]
    public void An_input_is_never_the_output()
    {
        _work.Layers("a", 1).Vector("b.safetensors", 1);
        MergeOptions overwrite = new() { Output = new(Overwrite: true) };
        foreach (var (model, output) in ((string, string)[])[("a", "a"), ("a", "a/"), ("a", "a/model.safetensors"), ("a/model.safetensors", "a"), ("b.safetensors", "b.safetensors")])
        {
            string message = Assert.Throws<MergeException>(() => _work.Run($"merge_method: passthrough\nmodels: [{{model: {model}}}]", output, overwrite)).Message;
            Assert.Contains("is itself an input", message);
        }

        Assert.Equal(3, TestModel.Read(_work["a"]).Count);
    }

    [Fact]
    public void Cancelling_leaves_nothing()
    {
        _work.Vector("a.safetensors", new float[100_000]).Vector("b.safetensors", new float[100_000]);
        using CancellationTokenSource source = new();
        using RecipeRun run = _work.Read(Mean);
        MergeOptions options = new() { Parallel = new() { CancellationToken = source.Token, MaxDegreeOfParallelism = 2 } };
        Assert.ThrowsAny<OperationCanceledException>(() => run.Run(_work["out.safetensors"], options, null, new Told(_ => source.Cancel())));
        Assert.Equal(["a.safetensors", "b.safetensors"], Directory.EnumerateFileSystemEntries(_work["."]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Progress_ends_at_the_whole_output()
    {
        _work.Layers("a", 3).Layers("b", 3);
        long done = 0, total = 0;
        using RecipeRun run = _work.Read("merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]");
        run.Run(_work["out"], new() { Parallel = new() { MaxDegreeOfParallelism = 1 } }, null, new Told(p => (done, total) = (p.Done, p.Total)));
        Assert.Equal((20, 20), (done, total));
    }

    [Fact]
    public void Progress_tells_of_surveys_and_of_what_an_earlier_run_wrote()
    {
        _work.Layers("a", 3).Layers("b", 3);
        List<MergeProgress> told = [];
        using RecipeRun run = _work.Read("merge_method: cki\nmodels: [{model: a}, {model: b}]\nparameters: {entropy: model}");
        string work = Directory.CreateDirectory(_work["out.partial"]).FullName, name = Path.Combine(Directory.CreateDirectory(Path.Combine(work, "output")).FullName, "model.safetensors");
        _work.Run("merge_method: cki\nmodels: [{model: a}, {model: b}]\nparameters: {entropy: model}", "whole");
        File.Copy(Path.Combine(_work["whole"], "model.safetensors"), name);
        File.WriteAllText(Path.Combine(work, "journal"), $"amalgam \"{run.Plans[0].Fingerprint(run.Text, 0, 5_000_000_000)}\"\n\"model.embed_tokens.weight\"\n");
        run.Run(_work["out"], new() { Parallel = new() { MaxDegreeOfParallelism = 1 }, Output = new(Resume: true) }, null, new Told(told.Add));
        Assert.Equal(new MergeProgress(0, 20, "survey"), told[0]);
        Assert.All(told.Skip(1), p => Assert.Equal((4, ""), (p.Found, p.Stage)));
        Assert.Equal(20, told[^1].Done);
    }

    [Theory]
    [InlineData("task_arithmetic", "weight: 1", "a.safetensors")]
    [InlineData("task_arithmetic", "weight: 1", "base.safetensors")]
    [InlineData("task_arithmetic", "{weight: 1, exclude: [w]}", "base.safetensors")]
    [InlineData("passthrough", "", "a.safetensors")]
    public void A_value_that_is_not_finite_is_named_whether_it_is_merged_copied_or_of_the_base(string method, string parameters, string bad)
    {
        foreach (string name in (string[])["a.safetensors", "base.safetensors"])
            _work.Model(name, DType.F32, ("w", new(2, 3), [1, 2, 3, 4, name == bad ? float.NegativeInfinity : 5, 6]));
        string recipe = $"merge_method: {method}\nmodels: [{{model: a.safetensors}}]\nparameters: {(parameters.StartsWith('{') ? parameters : $"{{{parameters}}}")}\n" + (method == "passthrough" ? "" : "base_model: base.safetensors\n");
        string message = Assert.Throws<MergeException>(() => _work.Run(recipe)).Message;
        Assert.Contains($"{bad}: tensor 'w' has -infinity at index [1,1]", message);
        Assert.False(File.Exists(_work["out.safetensors"]));
        using RecipeRun run = _work.Read(recipe);
        Assert.Contains(run.Run(_work["out.safetensors"], new() { AllowNonFinite = true }), n => n.Contains("'w' has -infinity"));
    }

    [Fact]
    public void A_result_that_the_type_cannot_hold_is_refused()
    {
        _work.Vector("a.safetensors", 1, 70000).Vector("b.safetensors", 1, 70000);
        Assert.Contains("gives 70000 at index [1], which float16 cannot hold", Assert.Throws<MergeException>(() => _work.Run(Mean + "out_dtype: float16")).Message);
        Assert.Equal(70144, _work.Run(Mean + "out_dtype: bfloat16")["w"].Values[1]);
        string sum = Mean.Replace("weight: 1", "weight: 1e38, normalize: false");
        Assert.Contains("gives infinity at index [1] from finite inputs", Assert.Throws<MergeException>(() => _work.Run(sum, "sum.safetensors")).Message);
    }

    [Fact]
    public void Allowing_what_is_not_finite_allows_no_overflow()
    {
        _work.Vector("a.safetensors", float.NaN, 70000, 1);
        MergeOptions allow = new() { AllowNonFinite = true };
        string recipe = "merge_method: passthrough\nmodels: [{model: a.safetensors}]\nparameters: {scale: 2}\n";
        Assert.Contains("gives 140000 at index [1], which float16 cannot hold", Assert.Throws<MergeException>(() => _work.Run(recipe + "out_dtype: float16", options: allow)).Message);
        Assert.Equal([float.NaN, 140000, 2], _work.Run(recipe, options: allow)["w"].Values);
        _work.Vector("b.safetensors", 2, 3);
        string overflow = recipe.Replace("a.safe", "b.safe").Replace("scale: 2", "scale: 3e38");
        Assert.Contains("gives infinity at index [0] from finite inputs", Assert.Throws<MergeException>(() => _work.Run(overflow, "b2.safetensors", allow)).Message);
    }

    [Fact]
    public void The_first_of_several_values_that_are_not_finite_is_reported()
    {
        float[] values = new float[40 * 32 * TensorMerge.BlockElements];
        int first = values.Length / 7;
        for (int i = first; i < values.Length; i += values.Length / 40) values[i] = float.NaN;
        _work.Vector("a.safetensors", values);
        foreach (string parameters in (string[])["{}", "{scale: 2}"])
        {
            for (int run = 0; run < 5; run++)
            {
                MergeOptions options = new() { Parallel = new() { MaxDegreeOfParallelism = 8 }, Output = new(Overwrite: true) };
                string recipe = $"merge_method: passthrough\nmodels: [{{model: a.safetensors}}]\nparameters: {parameters}";
                Assert.Contains($"NaN at index [{first}]", Assert.Throws<MergeException>(() => _work.Run(recipe, options: options)).Message);
                using RecipeRun allowed = _work.Read(recipe);
                Assert.Contains($"NaN at index [{first}]", Assert.Single(allowed.Run(_work["out.safetensors"], options with { AllowNonFinite = true })));
            }
        }
    }

    [Fact]
    public void Memory_counts_what_a_method_needs_beside_its_blocks()
    {
        _work.Vector("base.safetensors", new float[20_000]).Vector("a.safetensors", new float[20_000]);
        const string Ties = "merge_method: ties\nbase_model: base.safetensors\nmodels: [{model: a.safetensors}]\nparameters: {weight: 1, density: 0.5}\n";
        using RecipeRun ties = _work.Read(Ties);

        // Counting two bytes and then fifteen bits of a float takes 98,304 numbers of 8 bytes.
        Assert.Contains("ties; --memory allows 0 MiB", Assert.Throws<MergeException>(() => ties.Check(_work["out"], new() { Memory = 700_000 })).Message);
        Assert.Equal(2, Merger.Fit(ties.Plans[0], new() { Memory = 2_100_000, Parallel = new() { MaxDegreeOfParallelism = 16 } }).Parallel.MaxDegreeOfParallelism);
    }

    [Theory]
    [InlineData("della", "{weight: 1, density: 0.5}", 64, 67_108_864)]
    [InlineData("arcee_fusion", "{}", 1_000_000_000, 1)]
    [InlineData("nuslerp", "{weight: 1, nuslerp_flatten: false, nuslerp_row_wise: true}", 2, 1_000_000_000)]
    [InlineData("model_stock", "{filter_wise: true}", 2, 3_000_000_000)]
    public void Any_memory_is_cut_to_what_arrays_can_hold(string method, string parameters, long rows, long columns)
    {
        TensorEntry entry = new("w", DType.F32, new(rows, columns), new CyclicStorage(rows * columns * 4), 0);
        using Checkpoint model = new("huge", "made up", [entry], [entry.Storage]);
        Amalgam.Merging.Planning.PlannedModel planned = new(0, "huge", model);
        Amalgam.Merging.Recipes.Recipe recipe = Amalgam.Merging.Recipes.RecipeFile.Parse($"merge_method: {method}\nbase_model: b\nmodels: [{{model: a}}]\nparameters: {parameters}", "r")[0];
        string[] words = [.. recipe.Parameters.Entries.Select(e => e.Name)];
        MergeMethod made = Methods.Create(method, entry.Shape, 2, [.. words.Select(w => (w, (double[])[w == "density" ? 0.5 : w == "nuslerp_flatten" ? 0 : 1]))]);
        Amalgam.Merging.Planning.PlannedInput input = new(planned, entry);
        Amalgam.Merging.Planning.MergePlan plan = new(recipe, [new(entry, made, [input, input], input, "")], [planned], planned, null, []);
        MergeOptions options = new() { Memory = long.MaxValue / 4, Parallel = new() { MaxDegreeOfParallelism = 1 } };
        if (method == "della") Assert.InRange(Merger.Fit(plan, options).WindowBlocks * columns * 4, 1, Array.MaxLength);
        else Assert.Contains("in one piece", Assert.Throws<MergeException>(() => Merger.Fit(plan, options)).Message);
    }

    [Fact]
    public void Strided_inputs_merge_by_their_positions()
    {
        float[] stored = [.. Enumerable.Range(0, 12).Select(i => (float)i)];
        TensorEntry transposed = new("w", DType.F32, new(3, 4), new MemoryStorage(stored), 0, [1, 3]);
        float[] dense = [.. Enumerable.Range(0, 12).Select(i => (float)(i % 4 * 3 + i / 4))];
        float[] merged = new float[12];
        MergeContext context = new(new() { MaxDegreeOfParallelism = 1 }, 0);
        new Linear([1]).Merge(new(transposed, null, [transposed], [0], 1, context, new(DType.F32, (first, bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).CopyTo(merged.AsSpan((int)first)))));
        Assert.Equal(dense, merged);
    }

    [Fact]
    public void Tensors_of_more_than_two_to_the_thirty_first_elements_have_long_positions()
    {
        // Three rows of 2^30 + 1 elements; element i is i mod 16.
        Shape shape = new(3, (1L << 30) + 1);
        TensorEntry entry = new("w", DType.F8E4M3, shape, new CyclicStorage(shape.Count), 0);
        MergeContext context = new(new() { MaxDegreeOfParallelism = 1 }, 7);
        TensorMerge t = new(new TensorSpec("w", DType.F32, shape), entry, [entry], [0], 1, context, null);
        Assert.Equal((shape.Count + TensorMerge.BlockElements - 1) / TensorMerge.BlockElements, t.Blocks);
        long last = t.Blocks - 1;
        (long First, int Count, float[] Values) seen = (0, 0, []);
        t.VisitBlock(last, x => seen = (x.First, x.Count, x[0].ToArray()));
        Assert.Equal((last * TensorMerge.BlockElements, (int)(shape.Count - last * TensorMerge.BlockElements)), (seen.First, seen.Count));
        Assert.Equal(last, t.BlockAt(seen.First));
        Assert.Equal(Enumerable.Range(0, seen.Count).Select(i => (seen.First + i) % 16), seen.Values.Select(v => (long)v));
        Assert.Equal("[2,1073741824]", MergeContext.Position(shape, shape.Count - 1));

        // A mask near the end takes the draws of its own positions.
        RandomPruning pruning = new([0.5]);
        float[] ones = [.. Enumerable.Repeat(1f, 64)];
        pruning.Measure(t)[0]!.Apply(shape.Count - 64, ones);
        uint[] draws = new uint[64];
        Philox.Fill(Philox.Key(7, "w", 0), shape.Count - 64, draws);
        Assert.Equal(draws.Select(d => d < 1u << 31 ? 1f : 0), ones);
        float[] kept = [.. Enumerable.Repeat(1f, 64)];
        new Cut(1, shape.Count - 10).KeepAbove(shape.Count - 64, kept);
        Assert.Equal(54, kept.Count(v => v == 1));
    }

    private sealed class Told(Action<MergeProgress> tell) : IProgress<MergeProgress>
    {
        public void Report(MergeProgress value) => tell(value);
    }

    /// <summary>Bytes that are made up: the float8 of i mod 16, which is exact.</summary>
    private sealed class CyclicStorage(long length) : Storage
    {
        public override string Path => "made up";

        public override long Length => length;

        public override void Read(long offset, Span<byte> bytes)
        {
            if (offset < 0 || offset + bytes.Length > length) throw new InvalidDataException($"{bytes.Length} bytes at {offset}");
            Span<float> value = stackalloc float[1];
            for (int i = 0; i < bytes.Length; i++)
            {
                value[0] = (offset + i) % 16;
                DType.F8E4M3.Narrow(value, bytes.Slice(i, 1));
            }
        }

        public override void Dispose()
        {
        }
    }
}
