using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Models;

/// <summary>A network of layers one after the other, described by a small YAML text, for checkpoints that come without a graph.</summary>
/// <param name="Input">Shape of a sample; three sizes make an image.</param>
/// <param name="Layers">The layers, at least one.</param>
public sealed record Sequential(ImmutableArray<int> Input, ImmutableArray<SequentialLayer> Layers) : Architecture
{
    private static readonly RecipeLevel Level = new("a network", ["input", "layers", "result"]);

    /// <summary>Name of the result.</summary>
    public string Result { get; init; } = "logits";

    /// <summary>Reads a description.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read or is not a description; the message says which line.</exception>
    public static Sequential Read(string path)
    {
        try
        {
            return Parse(RecipeFile.ReadText(path), path);
        }
        catch (MergeException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    /// <summary>Reads a description from a text.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <exception cref="InvalidDataException">It is not a description; the message says which line.</exception>
    public static Sequential Parse(string text, string file)
    {
        try
        {
            var root = RecipeFile.Single(text, file);
            if (!root.IsMapping) throw root.Unexpected("a network, a mapping of input and layers");
            var fields = root.Fields(Level);
            if (!fields.TryGetValue("input", out RecipeNode input)) throw root.Position.Refuse("a network needs 'input', which is missing");
            if (!fields.TryGetValue("layers", out RecipeNode layers)) throw root.Position.Refuse("a network needs 'layers', which is missing");
            Sequential read = new(SequentialLayer.ReadSizes(input, "input, a list of sizes from 1 on"), [.. layers.Items("layers, a list of layers").Select(SequentialLayer.Read)]);
            return fields.TryGetValue("result", out RecipeNode result) ? read with { Result = result.Text("the name of the result") } : read;
        }
        catch (MergeException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        Node x = net.Graph.Input(Input.Length == 3 ? "image" : "x", Shape.Of([batch, .. Input]));
        for (int i = 0; i < Layers.Length; i++)
        {
            try
            {
                x = Layers[i].Add(net, x);
            }
            catch (GraphException e)
            {
                throw new GraphException($"layer {i + 1} ({Layers[i].Kind}): {e.Message}", e);
            }
        }

        net.Graph.Output(Result, x);
    }
}
