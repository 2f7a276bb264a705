using System.Collections.Immutable;

namespace Amalgam.Graphs;

/// <summary>One operation and the value that it makes. Nodes are made by <see cref="Graph"/> and do not change, but for <see cref="Trainable"/> and the elements of a parameter.</summary>
public sealed class Node
{
    internal Node(Graph graph, int id, Op op, ImmutableArray<Node> inputs, Shape shape, DType type, string? name, Tensor? value)
    {
        (Graph, Id, Op, Inputs, Shape, Type, Name, Value) = (graph, id, op, inputs, shape, type, name, value);
        Trainable = op is Parameter;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>Position in the graph; inputs come before the nodes that use them.</summary>
    public int Id { get; }

    /// <summary>What it computes.</summary>
    public Op Op { get; }

    /// <summary>The values that it is computed from.</summary>
    public ImmutableArray<Node> Inputs { get; }

    /// <summary>Shape of its value.</summary>
    public Shape Shape { get; }

    /// <summary>Element type of its value in files; in memory it is float.</summary>
    public DType Type { get; }

    /// <summary>Its name, unique in the graph: of an input or a parameter always, of another node where someone gave it one.</summary>
    public string? Name { get; internal set; }

    /// <summary>A parameter's weights; or the value of a constant or of a node that depends on constants alone; null for a value that each run computes.</summary>
    public Tensor? Value { get; }

    /// <summary>The value where it is the same at every run, so that shapes may depend on it; null for inputs, parameters and what depends on them.</summary>
    public Tensor? Known => Op is Parameter ? null : Value;

    /// <summary>Whether training changes this parameter; false for every other node.</summary>
    public bool Trainable
    {
        get;
        set => field = !value || Op is Parameter ? value : throw new GraphException($"{this} is not a parameter and cannot be trained");
    }

    /// <summary>The known value as integers.</summary>
    /// <param name="what">What they are, for the message.</param>
    /// <exception cref="GraphException">The value is known only when the graph runs, or is not made of integers.</exception>
    public long[] Integers(string what)
    {
        Tensor known = Known ?? throw new GraphException($"{what} must be known when the graph is built, but {this} depends on inputs or parameters");
        long[] values = new long[known.Count];
        for (int i = 0; i < values.Length; i++)
        {
            float value = known.Span[i];
            values[i] = value == MathF.Truncate(value) ? (long)Math.Clamp((double)value, long.MinValue, long.MaxValue) : throw new GraphException($"{what} must be integers, found {value}");
        }

        return values;
    }

    public static Node operator +(Node a, Node b) => a.Graph.Add(new Ops.Add(), a, b);

    public static Node operator -(Node a, Node b) => a.Graph.Add(new Ops.Sub(), a, b);

    public static Node operator *(Node a, Node b) => a.Graph.Add(new Ops.Mul(), a, b);

    public static Node operator /(Node a, Node b) => a.Graph.Add(new Ops.Div(), a, b);

    public static Node operator -(Node a) => a.Graph.Add(new Ops.Neg(), a);

    public static Node operator +(Node a, float b) => a + a.Graph.Constant(b);

    public static Node operator -(Node a, float b) => a - a.Graph.Constant(b);

    public static Node operator -(float a, Node b) => b.Graph.Constant(a) - b;

    public static Node operator *(Node a, float b) => a * a.Graph.Constant(b);

    public static Node operator *(float a, Node b) => b * a;

    public static Node operator /(Node a, float b) => a / a.Graph.Constant(b);

    public static Node operator /(float a, Node b) => b.Graph.Constant(a) / b;

    /// <summary>For example <c>%12 Conv 'layer1.conv1'</c>.</summary>
    public override string ToString() => $"%{Id} {Op.Name}{(Name is null ? "" : $" '{Name}'")}";
}
