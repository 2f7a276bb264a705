using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

/// <summary>One input of a sample.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Values">Its elements.</param>
internal sealed record OpInput(Shape Shape, float[] Values)
{
    /// <summary>The operator promises a gradient by it.</summary>
    public bool IsDifferentiable { get; init; }

    /// <summary>It is a constant of the graph: axes, a shape.</summary>
    public bool IsKnown { get; init; }

    public DType? Type { get; init; }

    /// <summary>Random numbers with a promised gradient.</summary>
    /// <param name="shape">Shape.</param>
    /// <param name="low">Least.</param>
    /// <param name="high">Greatest.</param>
    /// <param name="away">Points, kinks of the operator, from which all stay a tenth away.</param>
    /// <param name="seed">Other numbers.</param>
    public static OpInput X(Shape shape, double low = -2, double high = 2, double[]? away = null, int seed = 0)
    {
        Random random = new((int)(shape.Count % 1000) + 1000 * seed + shape.Rank);
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            do values[i] = (float)(low + (high - low) * random.NextDouble());
            while (away is not null && away.Any(kink => Math.Abs(values[i] - kink) < 0.1 * Math.Min(1, high - low)));
        }

        return new(shape, values) { IsDifferentiable = true };
    }

    /// <summary>Random numbers without a gradient.</summary>
    public static OpInput Still(Shape shape, double low = -2, double high = 2, int seed = 0) => X(shape, low, high, null, seed) with { IsDifferentiable = false };

    /// <summary>Random integers from 0 up to a limit, without a gradient.</summary>
    public static OpInput Ids(Shape shape, int limit, int seed = 0)
    {
        Random random = new(seed);
        return new(shape, [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (float)random.Next(limit))]) { Type = DType.I64 };
    }

    /// <summary>Given numbers, without a gradient.</summary>
    public static OpInput Of(params float[] values) => new(new(values.Length), values);

    /// <summary>Integers known when the graph is built.</summary>
    public static OpInput Known(params long[] values) => new(new(values.Length), [.. values.Select(v => (float)v)]) { IsKnown = true, Type = DType.I64 };

    /// <summary>With a function of each number in its place.</summary>
    public OpInput Map(Func<float, float> f) => this with { Values = [.. Values.Select(f)] };

    /// <summary>The same under another shape.</summary>
    public OpInput As(params ReadOnlySpan<long> sizes) => this with { Shape = new(sizes) };
}

/// <summary>An operator on inputs, with what must come out: the laws of <see cref="OpTests"/> hold for every sample.</summary>
/// <param name="Op">The operator.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Reference">
/// The result in double precision, by closed forms and plain loops that know nothing of the kernel. Null where the sample is too large for a slow reference and is
/// there for the laws on threads, memory and allocation.
/// </param>
internal sealed record OpSample(Op Op, OpInput[] Inputs, Func<Grid[], Grid>? Reference)
{
    /// <summary>Builds the result of the inputs' nodes where more than the operator is needed, such as one that makes its statistics; the reference is that of the whole.</summary>
    public Func<Graph, Node[], Node>? Build { get; init; }

    /// <summary>Greatest error of an element, relative above 1 and absolute below.</summary>
    public double Tolerance { get; init; } = 1e-5;

    /// <summary>Greatest error of a gradient's element, relative above 1 and absolute below.</summary>
    public double GradientTolerance { get; init; } = 1e-4;

    /// <summary>The kernel is never split over threads: nothing more to see on a large sample.</summary>
    public bool IsSerial { get; init; }

    /// <summary>The sample is large enough that a kernel splits its work.</summary>
    public bool IsLarge => Inputs.Sum(input => (long)input.Values.Length) >= 1 << 16;

    /// <summary>A graph of the inputs and the result.</summary>
    public (Graph Graph, Node[] Inputs, Node Result) Make()
    {
        Graph graph = new();
        Node[] inputs =
        [
            .. Inputs.Select((input, i) => input.IsKnown
                ? graph.Constant(new Tensor(input.Shape, input.Values), input.Type)
                : graph.Input($"x{i}", input.Shape, input.Type)),
        ];
        return (graph, inputs, Build?.Invoke(graph, inputs) ?? graph.Add(Op, inputs));
    }

    /// <summary>Every node's value, each in memory of its own that held no number before.</summary>
    public Dictionary<Node, Tensor> Evaluate(Graph graph, Node[] inputs)
    {
        Dictionary<Node, Tensor> values = [];
        for (int i = 0; i < inputs.Length; i++) values[inputs[i]] = new(Inputs[i].Shape, [.. Inputs[i].Values]);
        foreach (Node node in graph.Nodes)
        {
            if (values.ContainsKey(node)) continue;
            Tensor value = node.Value ?? new(node.Shape);
            if (node.Value is null)
            {
                value.Span.Fill(float.NaN);
                if (node.Op.Reuse == Reuse.View) values[node.Inputs[0]].Span.CopyTo(value.Span);
                else node.Op.Run([.. node.Inputs.Select(input => values[input])], value);
            }

            values[node] = value;
        }

        return values;
    }

    public override string ToString() => $"{Op} of {string.Join(", ", Inputs.Select(input => input.Shape))}";
}
