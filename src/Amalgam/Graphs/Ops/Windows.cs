using System.Collections.Immutable;

namespace Amalgam.Graphs.Ops;

/// <summary>Windows over up to three spatial axes, those that are missing having size 1 in front.</summary>
internal readonly record struct Windows(int Planes, Window Depth, Window Height, Window Width)
{
    /// <summary>Elements of an input plane.</summary>
    public int InPlane => Depth.In * Height.In * Width.In;

    /// <summary>Elements of an output plane.</summary>
    public int OutPlane => Depth.Out * Height.Out * Width.Out;

    /// <summary>Planes worth a part of their own.</summary>
    public int Grain => Math.Max(1, Unary.Block * 2 / Math.Max(1, InPlane));

    /// <summary>The windows of a pooling over [N,C,...]. Empty lists stand for strides and dilations of 1 and pads of 0.</summary>
    public static Windows Of(Shape x, ImmutableArray<int> kernel, ImmutableArray<int> strides, ImmutableArray<int> pads, ImmutableArray<int> dilations, bool ceil)
    {
        int axes = kernel.IsDefault ? 0 : kernel.Length;
        if (axes is < 1 or > 3) throw new GraphException($"windows have 1 to 3 axes, found {axes}");
        if (x.Rank != axes + 2) throw new GraphException($"the input must be [samples, channels] and {axes} axes of the windows, found {x}");
        CheckLength(strides, axes, "strides");
        CheckLength(dilations, axes, "dilations");
        CheckLength(pads, 2 * axes, "pads");
        Window At(int axis)
        {
            if (axis < 0) return new(1, 1, 1, 1, 0, 0, 1);
            int Or(ImmutableArray<int> list, int at, int fallback) => list.IsDefaultOrEmpty ? fallback : list[at];
            return Window.Of(x.Size(axis + 2), kernel[axis], Or(strides, axis, 1), Or(pads, axis, 0), Or(pads, axes + axis, 0), Or(dilations, axis, 1), ceil);
        }

        return new(checked(x.Size(0) * x.Size(1)), At(axes - 3), At(axes - 2), At(axes - 1));
    }

    /// <summary>The shape of the result.</summary>
    public Shape Result(Shape x)
    {
        long[] sizes = x.Sizes.ToArray();
        sizes[^1] = Width.Out;
        if (sizes.Length > 3) sizes[^2] = Height.Out;
        if (sizes.Length > 4) sizes[^3] = Depth.Out;
        return new(sizes);
    }

    private static void CheckLength(ImmutableArray<int> list, int expected, string what)
    {
        if (!list.IsDefaultOrEmpty && list.Length != expected) throw new GraphException($"{what} must have {expected} numbers for this kernel, found {list.Length}");
    }
}

/// <summary>Windows along one axis.</summary>
internal readonly record struct Window(int In, int Out, int Kernel, int Stride, int Begin, int End, int Dilation)
{
    /// <exception cref="GraphException">The windows do not fit.</exception>
    public static Window Of(int size, int kernel, int stride, int begin, int end, int dilation, bool ceil)
    {
        if (kernel < 1 || stride < 1 || dilation < 1 || begin < 0 || end < 0) throw new GraphException("kernel, strides and dilations must be positive and pads not negative");
        long extent = (kernel - 1L) * dilation + 1, room = (long)size + begin + end - extent;
        if (room < 0) throw new GraphException($"a window of {extent} does not fit into {size} with pads {begin} and {end}");
        long count = (room + (ceil ? stride - 1 : 0)) / stride + 1;
        // A window that begins behind the input would see nothing but padding.
        if (ceil && (count - 1) * stride >= (long)size + begin) count--;
        return new(size, checked((int)count), kernel, stride, begin, end, dilation);
    }

    /// <summary>Whether each window is one position of the input.</summary>
    public bool IsPosition => Kernel == 1 && Stride == 1 && Begin == 0 && End == 0;

    /// <summary>Whether the only window is the whole input.</summary>
    public bool IsAll => Kernel == In && Out == 1 && Dilation == 1 && Begin == 0 && End == 0;

    /// <summary>The windows that lie wholly in the input: the first, and the one behind the last.</summary>
    public (int From, int To) Whole
    {
        get
        {
            int from = Math.Min(Out, (Begin + Stride - 1) / Stride), room = In - 1 - (Kernel - 1) * Dilation + Begin;
            return (from, Math.Clamp(room < 0 ? 0 : room / Stride + 1, from, Out));
        }
    }

    /// <summary>Where a window begins; negative within the padding.</summary>
    public int Start(int window) => window * Stride - Begin;

    /// <summary>The first element of a window that lies in the input.</summary>
    public int First(int window) => Start(window) is var start && start >= 0 ? 0 : (-start + Dilation - 1) / Dilation;

    /// <summary>Behind the last element of a window that lies in the input.</summary>
    public int Last(int window) => Math.Min(Kernel, Start(window) is var start && start >= In ? 0 : (In - start + Dilation - 1) / Dilation);

    /// <summary>Elements of a window that lie in the input, or in it and its padding.</summary>
    public int Count(int window, bool pads)
    {
        if (!pads) return Math.Max(0, Last(window) - First(window));
        return Math.Min(Kernel, (In + End - Start(window) + Dilation - 1) / Dilation);
    }
}
