using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging;

namespace Amalgam.Tests.Merging.Planning;

/// <summary>A folder with small models, recipes that run in it, and results.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string this[string name] => _folder[name];

    /// <summary>Writes a model; a name without an ending is a folder.</summary>
    public Workplace Model(string name, DType dtype, params (string Name, Shape Shape, float[] Values)[] tensors)
    {
        TestModel.Write(this[name], dtype, tensors);
        return this;
    }

    /// <summary>Writes a model of one vector.</summary>
    public Workplace Vector(string name, params float[] values) => Model(name, DType.F32, ("w", new(values.Length), values));

    /// <summary>Writes a network of single numbers: embedding 100, layers 0, 1, 2 ..., norm 200, each plus an offset.</summary>
    public Workplace Layers(string name, int layers, float offset = 0) => Model(name, DType.F32,
    [
        ("model.embed_tokens.weight", new(1, 1), [100 + offset]),
        .. Enumerable.Range(0, layers).Select(i => ($"model.layers.{i}.mlp.weight", new Shape(1, 1), new float[] { i + offset })),
        ("model.norm.weight", new(1), [200 + offset]),
    ]);

    /// <summary>Adds tensors of another type to a file, which has to be a new one.</summary>
    public Workplace Mixed(string name, params (string Name, DType DType, Shape Shape, byte[] Bytes)[] tensors)
    {
        using CheckpointOutput output = CheckpointOutput.Create(this[name], [.. tensors.Select(t => new TensorSpec(t.Name, t.DType, t.Shape))], ImmutableDictionary<string, string>.Empty, new(), "test");
        foreach (var (tensor, _, _, bytes) in tensors) output.Write(tensor, 0, bytes);
        output.Commit();
        return this;
    }

    public RecipeRun Read(string recipe) => RecipeRun.Parse(recipe, _folder.Path, this["recipe.yml"]);

    public Dictionary<string, (Shape Shape, DType DType, float[] Values)> Run(string recipe, string output = "out.safetensors", MergeOptions? options = null)
    {
        using RecipeRun run = Read(recipe);
        run.Run(this[output], options ?? new());
        return TestModel.Read(this[output]);
    }

    public ImmutableArray<string> Notes(string recipe)
    {
        using RecipeRun run = Read(recipe);
        return run.Plans[^1].Notes;
    }

    /// <summary>The message with which a recipe is refused before anything runs.</summary>
    public string Refusal(string recipe) => Assert.Throws<MergeException>(() => Read(recipe).Dispose()).Message;

    public void Dispose() => _folder.Dispose();
}
