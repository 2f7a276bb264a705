namespace Amalgam.Graphs.Ops;

/// <summary>A tensor seen as [samples, channels, positions]; a matrix has one position.</summary>
internal readonly record struct Channels(int Samples, int Count, int Positions)
{
    public static Channels Of(Shape x)
    {
        int positions = 1;
        for (int axis = 2; axis < x.Rank; axis++) positions *= x.Size(axis);
        return new(x.Size(0), x.Size(1), positions);
    }

    /// <summary>Elements of one channel.</summary>
    public int Share => Samples * Positions;

    /// <summary>Where one channel of one sample begins.</summary>
    public int Start(int sample, int channel) => (sample * Count + channel) * Positions;

    /// <summary>Checks a tensor with channels, and one vector of a number for each channel after the other.</summary>
    public static void Check(ReadOnlySpan<Node> x, int vectors)
    {
        Shape shape = x[0].Shape;
        if (shape.Rank < 2) throw new GraphException($"the first input must be [samples, channels, ...], found {shape}");
        for (int i = 1; i <= vectors; i++)
        {
            if (x[i].Shape != new Shape(shape[1])) throw new GraphException($"input {i + 1} must have one number for each of the {shape[1]} channels, found {x[i].Shape}");
        }
    }

    /// <summary>Ties vectors of a number for each channel to the channels, and the result to the first input.</summary>
    public static void Link(Node y, int vectors, AxisLinks links)
    {
        Node x = y.Inputs[0];
        for (int axis = 0; axis < x.Shape.Rank; axis++) links.Same(AxisLinks.Of(y, axis), AxisLinks.Of(x, axis));
        for (int i = 1; i <= vectors; i++) links.Same(AxisLinks.Of(y, 1), AxisLinks.Of(y.Inputs[i], 0));
    }
}
