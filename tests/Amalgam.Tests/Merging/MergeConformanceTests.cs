using System.Text.Json;
using Amalgam.Merging;

namespace Amalgam.Tests.Merging;

/// <summary>
/// The conformance cases: recipes with their inputs and outputs, which follow the public definitions of the methods. Each case runs as a user would run it:
/// checkpoints and a recipe on disk, a checkpoint out. Where a case holds both a quirk and the sane result, the sane one is expected.
/// </summary>
public class MergeConformanceTests
{
    private static readonly Lazy<JsonDocument> Cases = new(() => JsonDocument.Parse(File.ReadAllBytes(RealData.At("merge-conformance", "cases.json"))));

    [Fact]
    public void Single_tensors_merge_as_defined() => Each("tensor_cases", (test, folder) =>
    {
        string name = test.GetProperty("is_embed").GetBoolean() ? "model.embed_tokens.weight" : "w";
        foreach (JsonProperty input in test.GetProperty("inputs").EnumerateObject())
            TestModel.Write(folder[$"{input.Name}.safetensors"], DType.F32, Tensor(name, input.Value));

        Dictionary<string, object?> recipe = new() { ["merge_method"] = test.GetProperty("method").GetString(), ["dtype"] = test.GetProperty("dtype").GetString() };
        if (test.GetProperty("base_model").GetString() is { } baseModel) recipe["base_model"] = $"{baseModel}.safetensors";
        recipe["parameters"] = test.GetProperty("parameters");
        recipe["models"] = test.GetProperty("models").EnumerateArray().Select(m => new Dictionary<string, object?>
        {
            ["model"] = $"{m.GetString()}.safetensors",
            ["parameters"] = test.GetProperty("model_parameters").TryGetProperty(m.GetString()!, out JsonElement own) ? own : new Dictionary<string, object?>(),
        });
        string output = Run(folder, JsonSerializer.Serialize(recipe), "out.safetensors");
        Expect(test, new() { [name] = test.GetProperty("expected") }, TestModel.Read(output));
    });

    [Fact]
    public void Recipes_for_folders_merge_as_defined() => Each("recipe_cases", (test, folder) =>
    {
        WriteFolders(test, folder);
        string output = Run(folder, test.GetProperty("recipe").GetString()!, "out");
        Expect(test, Expected(test), TestModel.Read(output));

        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "config.json")));
        Assert.Equal(test.GetProperty("expected_num_hidden_layers").GetInt32(), config.RootElement.GetProperty("num_hidden_layers").GetInt32());
        Assert.Equal(test.GetProperty("expected_torch_dtype").GetString(), config.RootElement.GetProperty("torch_dtype").GetString());
        foreach (JsonElement file in test.GetProperty("expected_files").EnumerateArray()) Assert.True(File.Exists(Path.Combine(output, file.GetString()!)), file.GetString());
    });

    [Fact]
    public void Single_files_merge_as_defined() => Each("flat_cases", (test, folder) =>
    {
        foreach (JsonProperty file in test.GetProperty("files").EnumerateObject())
            TestModel.Write(folder[file.Name], DType.F32, [.. file.Value.EnumerateObject().Select(t => Tensor(t.Name, t.Value))]);
        Expect(test, Expected(test), TestModel.Read(Run(folder, test.GetProperty("recipe").GetString()!, "out.safetensors")));
    });

    [Fact]
    public void Documents_that_refer_to_each_other_merge_as_defined() => Each("multi_cases", (test, folder) =>
    {
        WriteFolders(test, folder);
        Expect(test, Expected(test), TestModel.Read(Run(folder, test.GetProperty("recipe").GetString()!, "out")));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(folder.Path), e => Path.GetFileName(e).StartsWith("out.", StringComparison.Ordinal));
    });

    [Fact]
    public void Recipes_that_cannot_be_done_are_refused_before_anything_is_written() => Each("error_cases", (test, folder) =>
    {
        JsonElement models = Cases.Value.RootElement.GetProperty("multi_cases")[0];
        WriteFolders(models, folder);
        if (test.GetProperty("id").GetString() == "err_linear_shape_mismatch")
        {
            var q = TestModel.Read(folder["q"]);
            q["model.layers.0.mlp.up_proj.weight"] = (new(4, 2), DType.F32, new float[8]);
            TestModel.Write(folder["q"], DType.F32, [.. q.Select(t => (t.Key, t.Value.Shape, t.Value.Values))]);
        }

        string message = Assert.Throws<MergeException>(() => Run(folder, test.GetProperty("recipe").GetString()!, "out")).Message;
        Assert.Contains("recipe.yml", message);
        Assert.False(Directory.Exists(folder["out"]));
    });

    [Fact]
    public void Random_methods_keep_their_invariants_for_any_seed() => Each("property_cases", (test, folder) =>
    {
        foreach (JsonProperty input in test.GetProperty("inputs").EnumerateObject())
            TestModel.Write(folder[$"{input.Name}.safetensors"], DType.F32, Tensor("w", input.Value));
        string recipe = JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["merge_method"] = test.GetProperty("method").GetString(),
            ["base_model"] = "base.safetensors",
            ["models"] = new[] { new Dictionary<string, object?> { ["model"] = "m1.safetensors" } },
            ["parameters"] = test.GetProperty("parameters"),
        });
        float[] b = Numbers(test.GetProperty("inputs").GetProperty("base")), w = Numbers(test.GetProperty("inputs").GetProperty("m1"));
        HashSet<string> masks = [];
        for (int seed = 0; seed < 20; seed++)
        {
            float[] merged = TestModel.Read(Run(folder, recipe, $"out{seed}.safetensors", seed))["w"].Values;
            int[] kept = [.. Enumerable.Range(0, b.Length).Where(i => merged[i] != b[i])];
            double[] ratios = [.. kept.Where(i => Math.Abs(w[i] - b[i]) > 0.05).Select(i => (merged[i] - b[i]) / (double)(w[i] - b[i]))];
            masks.Add(string.Join(',', kept));
            foreach (JsonElement check in test.GetProperty("checks").EnumerateArray())
            {
                switch (check.GetString())
                {
                    case "l1_preserved":
                        Assert.Equal(L1(w, b), L1(merged, b), L1(w, b) * 1e-5);
                        break;
                    case "constant_ratio":
                        Assert.All(ratios, r => Assert.Equal(ratios[0], r, 1e-4));
                        break;
                    case "ratio_one":
                        Assert.All(ratios, r => Assert.Equal(1, r, 1e-4));
                        break;
                    default:
                        Assert.Fail($"unknown check {check}");
                        break;
                }
            }
        }

        Assert.True(masks.Count > 15, "seeds give different masks");
    });

    private static double L1(float[] a, float[] b) => a.Zip(b).Sum(p => Math.Abs((double)p.First - p.Second));

    private static void Each(string group, Action<JsonElement, TemporaryFolder> body)
    {
        Assert.NotEmpty(Cases.Value.RootElement.GetProperty(group).EnumerateArray());
        foreach (JsonElement test in Cases.Value.RootElement.GetProperty(group).EnumerateArray())
        {
            using TemporaryFolder folder = new();
            try
            {
                body(test, folder);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"{test.GetProperty("id").GetString()}: {e.Message}", e);
            }
        }
    }

    private static string Run(TemporaryFolder folder, string recipe, string output, long seed = 0)
    {
        using RecipeRun run = RecipeRun.Parse(recipe, folder.Path, folder["recipe.yml"]);
        run.Run(folder[output], new MergeOptions { Seed = seed });
        return folder[output];
    }

    private static void WriteFolders(JsonElement test, TemporaryFolder folder)
    {
        foreach (JsonProperty model in test.GetProperty("checkpoints").EnumerateObject())
        {
            TestModel.Write(folder[model.Name], DType.F32, [.. model.Value.EnumerateObject().Select(t => Tensor(t.Name, t.Value))]);
            File.WriteAllText(Path.Combine(folder[model.Name], "config.json"), test.GetProperty("configs").GetProperty(model.Name).GetRawText());
        }
    }

    private static Dictionary<string, JsonElement> Expected(JsonElement test) =>
        (test.TryGetProperty("expected_without_quirk", out JsonElement sane) ? sane : test.GetProperty("expected")).EnumerateObject().ToDictionary(t => t.Name, t => t.Value);

    private static void Expect(JsonElement test, Dictionary<string, JsonElement> expected, Dictionary<string, (Shape Shape, DType DType, float[] Values)> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        double relative = test.GetProperty("rtol").GetDouble(), absolute = test.GetProperty("atol").GetDouble();
        foreach (var (name, tensor) in expected)
        {
            Assert.Equal(ShapeOf(tensor), actual[name].Shape);
            double[] want = [.. tensor.GetProperty("data").EnumerateArray().Select(v => v.GetDouble())];
            for (int i = 0; i < want.Length; i++)
                Assert.True(Math.Abs(want[i] - actual[name].Values[i]) <= absolute + relative * Math.Abs(want[i]), $"'{name}' at {i}: expected {want[i]}, got {actual[name].Values[i]}");
        }
    }

    private static (string Name, Shape Shape, float[] Values) Tensor(string name, JsonElement tensor) => (name, ShapeOf(tensor), Numbers(tensor));

    private static Shape ShapeOf(JsonElement tensor) => new([.. tensor.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())]);

    private static float[] Numbers(JsonElement tensor) => [.. tensor.GetProperty("data").EnumerateArray().Select(v => (float)v.GetDouble())];
}
