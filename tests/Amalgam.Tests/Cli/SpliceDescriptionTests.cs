using Amalgam.Merging.Recipes;
using Amalgam.Tests.Zoo.Runs;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>What the description of a splice asks for, and what is refused or left behind when it cannot be had.</summary>
public class SpliceDescriptionTests(SplicedModels models) : IClassFixture<SplicedModels>
{
    private string A => models["a"];

    private string B => models["b"];

    [Theory]
    [InlineData("cki", "cki:biases=average")]
    [InlineData("cki", "cki:start=zero")]
    [InlineData("linear:weight=0.9/0.1", "linear:weight=0.1/0.9")]
    [InlineData("linear", "linear:per=model")]
    public async Task Another_method_does_not_go_on_with_a_run(string method, string other)
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder);
        await Succeeds("splice", "-m", method, A, B, "--train", run, "-o", folder["out"], "-q");
        await Refuses("another description", "splice", "-m", other, A, B, "--train", run, "-o", folder["out"], "--resume");
        await Succeeds("splice", "-m", method, A, B, "--train", run, "-o", folder["out"], "--resume", "-q");
    }

    [Theory]
    [InlineData("model: {name: mlp, hidden: [12], freeze: [fc1.bias, fc2.weight]}", "mlp")]
    [InlineData("model: {name: mlp, freeze: [fc1.bias, fc2.weight]}", "mlp:hidden=12")]
    public async Task What_is_frozen_stays_and_the_splice_of_a_frozen_weight_is_learned(string model, string architecture)
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder, $"train: all\n{model}");
        await Succeeds("splice", A, B, "--train", run, "--model", architecture, "--include", "fc2.weight", "-o", folder["out"], "-q");
        var before = TestModel.Read(Path.Combine(A, RunFolder.Best));
        var state = TestModel.Read(Path.Combine(folder["out"], RunFolder.State));
        var (after, alone) = (TestModel.Read(Path.Combine(folder["out"], RunFolder.Model)), TestModel.Read(Path.Combine(folder["out"], SpliceFolder.Baseline)));
        Assert.Equal(before["fc1.bias"].Values, after["fc1.bias"].Values);
        Assert.NotEqual(before["fc1.weight"].Values, after["fc1.weight"].Values);
        Assert.Equal(before["fc2.weight"].Values, alone["fc2.weight"].Values);
        Assert.Contains(state.Keys, name => name.EndsWith("splice/fc2.weight", StringComparison.Ordinal) && name != "splice/fc2.weight");

        RunDescription description = RunDescription.Read(run, new(""));
        using TemporaryFolder other = new();
        SpliceRun frozen = new(Of("cki:include=fc2.weight", description), other["a"]);
        Assert.True(frozen.Integration.Graph.Parameters["splice/fc2.weight"].Trainable);
        Assert.False(frozen.Integration.Graph.Parameters["fc1.bias"].Trainable);
        SpliceRun named = new(Of("cki", description with { Model = description.Model with { Freeze = ["splice/fc1"] } }), other["b"]);
        Assert.Equal(["splice/fc2.weight"], named.Integration.Graph.Parameters.Where(p => p.Value.Trainable && p.Key.StartsWith("splice/", StringComparison.Ordinal)).Select(p => p.Key));
    }

    [Fact]
    public async Task Groups_may_name_what_is_learned_beside_the_baseline()
    {
        using TemporaryFolder folder = new();
        string plain = SplicedModels.Describe(folder, "train: all", "plain.yml");
        string run = folder["groups.yml"];
        File.WriteAllText(run, File.ReadAllText(plain).Replace("optimizer: adam", "optimizer: {name: adam, no_decay: [fc2.weight], groups: [{match: 'splice/', lr_scale: 0}]}"));
        await Succeeds("splice", A, B, "--train", plain, "-o", folder["plain"], "-q");
        await Succeeds("splice", A, B, "--train", run, "-o", folder["out"], "-q");
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder["plain"], SpliceFolder.Baseline)), File.ReadAllBytes(Path.Combine(folder["out"], SpliceFolder.Baseline)));
        // A rate of 0: P is what it was.
        var first = new SpliceRun(Of("cki", RunDescription.Read(run, new(""))), folder["again"]).Integration.Graph.Parameters["splice/fc1.weight"].Value!;
        Assert.Equal(first.Span.ToArray(), TestModel.Read(Path.Combine(folder["out"], RunFolder.State)).First(t => t.Key.EndsWith("splice/fc1.weight", StringComparison.Ordinal) && t.Value.Shape == first.Shape && t.Value.Values.Any(v => v != 0)).Value.Values);
        File.WriteAllText(run, File.ReadAllText(run).Replace("fc2.weight", "fc3.weight"));
        await Refuses("no parameter of the model matches 'fc3.weight'", "splice", A, B, "--train", run, "-o", folder["none"]);
    }

    [Fact]
    public async Task Patterns_of_no_weight_are_refused_by_name()
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder);
        await Refuses("exclude: no weight of the models matches 'fcl.*'", "splice", A, B, "--exclude", "fcl.*", "--train", run, "-o", folder["out"]);
        await Refuses("include: no weight of the models matches 'head.*'", "splice", A, B, "--include", "fc1.weight", "--include", "head.*", "--train", run, "-o", folder["out"]);
        File.WriteAllText(folder["recipe.yml"], Recipe(folder, run, "{local: learned, exclude: [fcl.*]}"));
        await Refuses("recipe.yml:3:30: exclude: no weight of the models matches 'fcl.*'", "merge", folder["recipe.yml"], folder["merged.safetensors"]);
        Assert.False(Path.Exists(folder["out"]) || Path.Exists(folder["merged.safetensors"]));
    }

    [Theory]
    [InlineData(float.NaN, "fc1.weight", "NaN at element 5")]
    [InlineData(float.NegativeInfinity, "fc2.bias", "at element 5")]
    public async Task Weights_that_are_not_finite_are_named_before_anything_is_written(float value, string tensor, string message)
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder), damaged = folder["damaged.safetensors"];
        var weights = TestModel.Read(Path.Combine(B, RunFolder.Best));
        weights[tensor].Values[5] = value;
        TestModel.Write(damaged, DType.F32, [.. weights.Select(t => (t.Key, t.Value.Shape, t.Value.Values))]);
        string[] rest = ["--model", "mlp:hidden=12", "--train", run, "-o", folder["out"]];
        await Refuses($"damaged.safetensors: tensor '{tensor}' has", ["splice", A, damaged, .. rest]);
        await Refuses(message, ["splice", A, damaged, .. rest]);
        File.WriteAllText(folder["recipe.yml"], Recipe(folder, run, "{local: learned}", damaged).Replace("  data:", "  model: {name: mlp, hidden: [12]}\n  data:"));
        await Refuses($"damaged.safetensors: tensor '{tensor}' has", "merge", folder["recipe.yml"], folder["merged.safetensors"]);
        Assert.False(Path.Exists(folder["out"]) || Path.Exists(folder["merged.safetensors"]));
    }

    [Fact]
    public void An_interruption_before_the_training_leaves_nothing_and_one_at_its_first_step_can_be_gone_on_with()
    {
        using TemporaryFolder folder = new();
        SpliceDescription splice = Of("cki", RunDescription.Read(SplicedModels.Describe(folder), new(""))) with { Text = "merge_method: cki\n" };
        using CancellationTokenSource stop = new();
        SpliceRun run = new(splice, folder["out"]);
        List<(int, int)> told = [];
        Assert.Throws<OperationCanceledException>(() => run.Before((done, all) =>
        {
            told.Add((done, all));
            if (done == 2) stop.Cancel();
        }, stop.Token));
        Assert.Equal([(0, 6), (1, 6), (2, 6)], told);
        Assert.False(Path.Exists(folder["out"]));
        Assert.Throws<OperationCanceledException>(() => run.Train([], cancel: stop.Token));
        Assert.True(new SpliceRun(splice, folder["out"], resume: true).Resumed);
    }

    [Theory]
    [InlineData("cki:biases=average", "--include", "fc2.weight")]
    [InlineData("linear:weight=0.7/0.3", "--exclude", "*.bias")]
    public async Task The_recipe_that_is_left_makes_the_result_again(string method, params string[] options)
    {
        using TemporaryFolder folder = new();
        await Succeeds(["splice", "-m", method, A, B, "--train", SplicedModels.Describe(folder), .. options, "-o", folder["out"], "-q"]);
        await Succeeds("merge", Path.Combine(folder["out"], SpliceFolder.Recipe), folder["again.safetensors"], "-q");
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder["out"], RunFolder.Best)), File.ReadAllBytes(folder["again.safetensors"]));
    }

    [Fact]
    public async Task With_include_the_biases_beside_included_weights_are_averaged_and_the_plan_says_so()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["recipe.yml"], Recipe(folder, SplicedModels.Describe(folder), "{local: learned, biases: average, include: [fc2.weight]}"));
        string[] plan = (await Succeeds("merge", folder["recipe.yml"], "--dry-run")).Split('\n');
        Assert.Contains("not selected", plan.Single(line => line.Contains("fc1.bias", StringComparison.Ordinal)));
        Assert.Contains("the models' mean", plan.Single(line => line.Contains("fc2.bias", StringComparison.Ordinal)));
        await Succeeds("merge", folder["recipe.yml"], folder["merged.safetensors"], "-q");
        var (a, b, merged) = (TestModel.Read(Path.Combine(A, RunFolder.Best)), TestModel.Read(Path.Combine(B, RunFolder.Best)), TestModel.Read(folder["merged.safetensors"]));
        Assert.Equal(a["fc1.bias"].Values, merged["fc1.bias"].Values);
        Assert.Equal(a["fc2.bias"].Values.Zip(b["fc2.bias"].Values, (x, y) => (float)(((double)x + y) / 2)), merged["fc2.bias"].Values);
    }

    [Theory]
    [InlineData("activation: tanh")]
    [InlineData("bias: false")]
    public void A_network_that_differs_is_told_of(string other)
    {
        using TemporaryFolder folder = new();
        new TrainingRun(RunDescription.Parse($"{SplicedModels.Data}model: {{name: mlp, hidden: [12], {other}}}\nlr: 0.01\nepochs: 1\nbatch: 50\n", "run.yml"), folder["other"]).Train();
        RunDescription run = RunDescription.Read(SplicedModels.Describe(folder), new(""));
        foreach (string second in new[] { B, Path.Combine(folder["other"], RunFolder.Model) })
        {
            SpliceRun splice = new(new(RecipeFile.Parse(SimpleRecipe.Write("cki", [A, second], null), "--method")[0], "cki", run), folder[$"out{second.Length}"]);
            Assert.Equal(second != B, splice.Train(splice.Before()).Notes.Any(note => note.Contains("is not the same network as", StringComparison.Ordinal)));
        }
    }

    private SpliceDescription Of(string method, RunDescription run) => new(RecipeFile.Parse(SimpleRecipe.Write(method, [A, B], null), "--method")[0], method, run);

    private string Recipe(TemporaryFolder folder, string run, string parameters, string? second = null) =>
        $"merge_method: cki\nmodels: [{{model: '{Path.Combine(A, RunFolder.Best)}'}}, {{model: '{second ?? Path.Combine(B, RunFolder.Best)}'}}]\nparameters: {parameters}\ntrain:\n"
        + string.Concat(File.ReadAllText(run).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"  {line}\n"));
}
