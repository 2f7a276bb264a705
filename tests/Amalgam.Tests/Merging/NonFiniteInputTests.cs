using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Merging;

namespace Amalgam.Tests.Merging;

public class NonFiniteInputTests
{
    public static TheoryData<string, double, string, bool> Values => new()
    {
        { "linear", double.NaN, "NaN at index [1,0]", true },
        { "linear", double.NegativeInfinity, "-infinity at index [1,0]", true },
        { "linear", 1e300, "1E+300, too large for the float32 that merging computes with, at index [1,0]", true },
        { "passthrough", double.NaN, "NaN at index [1,0]", true },
        { "passthrough", double.PositiveInfinity, "infinity at index [1,0]", true },
        { "passthrough", 1e300, "", false },
    };

    [Theory, MemberData(nameof(Values))]
    public void What_is_not_finite_is_named_by_tensor_and_index(string method, double value, string found, bool isRefused)
    {
        using TemporaryFolder folder = new();
        Write(folder["a.safetensors"], 1);
        Write(folder["b.safetensors"], value);
        string models = method == "linear" ? "[{model: a.safetensors, parameters: {weight: 1}}, {model: b.safetensors, parameters: {weight: 1}}]" : "[{model: b.safetensors}]";
        string text = $"merge_method: {method}\nmodels: {models}\n", expected = $"{folder["b.safetensors"]}: tensor 'w' has {found}";
        ImmutableArray<string> Merge(bool allow)
        {
            using RecipeRun run = RecipeRun.Parse(text, folder.Path, "recipe");
            return run.Run(folder["out.safetensors"], new() { AllowNonFinite = allow, Output = new(Overwrite: true) });
        }

        if (isRefused)
        {
            Assert.StartsWith($"{expected}; no output was written", Assert.Throws<MergeException>(() => Merge(false)).Message, StringComparison.Ordinal);
            Assert.False(File.Exists(folder["out.safetensors"]));
        }
        else
        {
            Assert.Empty(Merge(false));
        }

        Assert.Equal(isRefused ? [expected] : [], Merge(true));
        Assert.True(File.Exists(folder["out.safetensors"]));
        Assert.False(Directory.Exists(folder["out.safetensors.partial"]));
    }

    private static void Write(string path, double value)
    {
        using CheckpointOutput output = CheckpointOutput.Create(path, [new("w", DType.F64, new(2, 2))], new Dictionary<string, string>(), new(), "test");
        output.Write("w", 0, MemoryMarshal.AsBytes<double>([1, 2, value, 4]));
        output.Commit();
    }
}
