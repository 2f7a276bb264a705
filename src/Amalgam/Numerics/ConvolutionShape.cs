namespace Amalgam.Numerics;

/// <summary>Sizes of a two-dimensional convolution over images [Images, Channels, Height, Width] with filters [Filters, Channels / Groups, KernelHeight, KernelWidth].</summary>
/// <param name="Images">Images in the batch.</param>
/// <param name="Channels">Channels of the input, a multiple of the groups.</param>
/// <param name="Height">Rows of the input.</param>
/// <param name="Width">Columns of the input.</param>
/// <param name="Filters">Channels of the output, a multiple of the groups.</param>
/// <param name="KernelHeight">Rows of the kernel.</param>
/// <param name="KernelWidth">Columns of the kernel.</param>
/// <param name="StrideHeight">Distance of windows, in rows.</param>
/// <param name="StrideWidth">Distance of windows, in columns.</param>
/// <param name="PadTop">Rows of zeros above.</param>
/// <param name="PadLeft">Columns of zeros on the left.</param>
/// <param name="PadBottom">Rows of zeros below.</param>
/// <param name="PadRight">Columns of zeros on the right.</param>
/// <param name="DilationHeight">Distance of a kernel's rows.</param>
/// <param name="DilationWidth">Distance of a kernel's columns.</param>
/// <param name="Groups">Groups of channels, each with its own filters.</param>
public readonly record struct ConvolutionShape(
    int Images, int Channels, int Height, int Width, int Filters, int KernelHeight, int KernelWidth, int StrideHeight = 1, int StrideWidth = 1,
    int PadTop = 0, int PadLeft = 0, int PadBottom = 0, int PadRight = 0, int DilationHeight = 1, int DilationWidth = 1, int Groups = 1)
{
    /// <summary>Longest padded axis: what places in it are counted with stays an integer.</summary>
    private const int Most = 1 << 30;

    /// <summary>Rows of the output.</summary>
    public int OutHeight => Out(checked(Height + PadTop + PadBottom), KernelHeight, StrideHeight, DilationHeight);

    /// <summary>Columns of the output.</summary>
    public int OutWidth => Out(checked(Width + PadLeft + PadRight), KernelWidth, StrideWidth, DilationWidth);

    /// <summary>Elements of the input.</summary>
    public long InputCount => (long)Images * Channels * Height * Width;

    /// <summary>Elements of the filters.</summary>
    public long WeightCount => (long)Filters * GroupChannels * KernelHeight * KernelWidth;

    /// <summary>Elements of the output.</summary>
    public long OutputCount => (long)Images * Filters * OutHeight * OutWidth;

    /// <summary>Multiplications.</summary>
    public long Work => OutputCount * GroupChannels * KernelHeight * KernelWidth;

    internal int GroupChannels => Channels / Groups;

    internal int GroupFilters => Filters / Groups;

    internal ConvolutionAxis Rows => new(Height, OutHeight, -PadTop, DilationHeight, KernelHeight, StrideHeight);

    internal ConvolutionAxis Columns => new(Width, OutWidth, -PadLeft, DilationWidth, KernelWidth, StrideWidth);

    /// <exception cref="ArgumentException">A size is impossible.</exception>
    internal void Check()
    {
        bool sizes = Images >= 0 && Channels > 0 && Filters > 0 && Height >= 0 && Width >= 0 && KernelHeight > 0 && KernelWidth > 0;
        bool steps = StrideHeight > 0 && StrideWidth > 0 && DilationHeight > 0 && DilationWidth > 0;
        bool limits = (long)Height + PadTop + PadBottom <= Most && (long)Width + PadLeft + PadRight <= Most && StrideHeight <= Most && StrideWidth <= Most;
        bool groups = Groups > 0 && Channels % Groups == 0 && Filters % Groups == 0;
        if (!sizes || !steps || !limits || !groups || PadTop < 0 || PadLeft < 0 || PadBottom < 0 || PadRight < 0)
            throw new ArgumentException(
            $"no such convolution: images [{Images},{Channels},{Height},{Width}], {Filters} filters of [{KernelHeight},{KernelWidth}], strides [{StrideHeight},{StrideWidth}], "
            + $"pads [{PadTop},{PadLeft},{PadBottom},{PadRight}], dilations [{DilationHeight},{DilationWidth}], groups {Groups}");
    }

    private static int Out(int padded, int kernel, int stride, int dilation)
    {
        int last = checked(padded - ((kernel - 1) * dilation + 1));
        return last < 0 ? 0 : last / stride + 1;
    }
}
