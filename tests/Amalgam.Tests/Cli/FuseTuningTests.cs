using System.Text;
using Amalgam.Cli;
using Amalgam.Tests.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Training a fused network on: what does not fit is seen before anything is fused, what it came to is said, and it can be gone on with.</summary>
public sealed class FuseTuningTests(DepthFiles files) : IClassFixture<DepthFiles>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string[] Line => ["fuse", files["deep.safetensors"], files["shallow.safetensors"], "--data", files["data.npz"], "-o", _folder["f.safetensors"], "--finetune", _folder["run.yml"]];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Data_that_does_not_fit_and_a_folder_that_is_taken_are_refused_before_anything_is_fused()
    {
        Describe(files["images.npz"]);
        var (code, _, error) = await Run(Line);
        Assert.Equal(2, code);
        Assert.Contains("the fused network reads 'x' [32] of a sample, and a sample of ", error);
        Assert.Contains("has 'image' [3,8,8]; ", error);

        float[] x = new float[20 * 32];
        TestModel.Write(_folder["many.npz"], DType.F32, ("x", new(20, 32), x), ("label", new(20), [.. Enumerable.Range(0, 20).Select(i => (float)i)]));
        Describe(_folder["many.npz"]);
        await Refuses("gives 16 scores for a sample, and ", Line);

        Describe(files["data.npz"]);
        Directory.CreateDirectory(_folder["f-finetuned"]);
        File.WriteAllText(Path.Combine(_folder["f-finetuned"], "mine"), "mine");
        await Refuses("is not empty", Line);
        Assert.False(File.Exists(_folder["f.safetensors"]));
    }

    [Fact]
    public async Task Training_that_ends_below_where_it_began_is_said_of_held_out_and_of_test_samples()
    {
        Describe($"{{name: {files["data.npz"]}, validation: 100}}", rate: 0.5);
        string[] line = [.. Line, "--lambda", "1", "--reset", "none", "--overwrite"]; // the shallow network, which made the labels and is always right
        var (_, _, error) = await Run([.. line, "--evaluate"]);
        Assert.Matches(@"note: fine-tuning ended below where it began: on 100 held-out samples 100\.00% right before, \d+\.\d+% right after", error);
        Assert.Matches(@"note: fine-tuning ended below where it began: 100\.00% before, \d+\.\d+% after", error);

        Describe($"{{name: {files["data.npz"]}, validation: 100}}", rate: 1e-7);
        (_, _, error) = await Run([.. line, "--evaluate"]);
        Assert.DoesNotContain("ended below", error);
    }

    [Fact]
    public async Task An_interrupted_training_says_how_to_go_on()
    {
        Describe(files["data.npz"], epochs: 3);
        using CancellationTokenSource stop = new();
        using StoppingWriter output = new(stop);
        using StringWriter error = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Program.Create().Parse(Line).InvokeAsync(new() { EnableDefaultExceptionHandler = false, Output = output, Error = error }, stop.Token));
        string description = Path.Combine(_folder["f-finetuned"], "run.yaml");
        Assert.Contains($"amalgam train {description} --resume goes on with it", error.ToString());
        Assert.True(File.Exists(_folder["f.safetensors"]));
        Assert.False(File.Exists(Path.Combine(_folder["f-finetuned"], "model.safetensors")));
        Assert.Contains("epoch 3", await Succeeds("train", description, "--resume"));
    }

    private void Describe(string data, double rate = 0.01, int epochs = 1) =>
        File.WriteAllText(_folder["run.yml"], FormattableString.Invariant($"data: {data}\nlr: {rate}\nepochs: {epochs}\nbatch: 50\n"));

    /// <summary>Asks to stop as soon as an epoch is done.</summary>
    private sealed class StoppingWriter(CancellationTokenSource stop) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
        }

        public override void WriteLine(string? value)
        {
            if (value?.StartsWith("epoch 1", StringComparison.Ordinal) == true) stop.Cancel();
        }
    }
}
