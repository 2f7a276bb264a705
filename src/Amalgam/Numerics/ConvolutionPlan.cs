namespace Amalgam.Numerics;

/// <summary>How sums of windows are cut into parts: it depends on the sizes alone, so that a result does not depend on threads.</summary>
/// <param name="Inputs">Input channels whose taps are summed in one go.</param>
/// <param name="Images">Images side by side.</param>
/// <param name="Rows">Output rows of a band.</param>
/// <param name="Bands">Bands of an image.</param>
/// <param name="Panels">Panels of output channels in one part.</param>
/// <param name="PanelParts">Parts along the output channels.</param>
/// <param name="ImageGroups">Groups of images.</param>
internal readonly record struct ConvolutionPlan(int Inputs, int Images, int Rows, int Bands, int Panels, int PanelParts, int ImageGroups)
{
    /// <summary>Steps of one go, about: a tile's pixels then stay in the first-level cache while the weights pass by.</summary>
    private const int Steps = 320;

    /// <summary>Floats of unrolled image in one part: what a part of the second-level cache holds.</summary>
    private const int ImageFloats = 48 << 10;

    /// <summary>Parts wanted, so that the last ones do not leave a core idle for long.</summary>
    private const int Parts = 8;

    public static ConvolutionPlan Of(in ConvolutionSums s, int tileRows, int tileColumns)
    {
        int blocks = Ceiling(s.Inputs * s.Taps, Steps), inputs = Ceiling(s.Inputs, Math.Min(s.Inputs, blocks));
        int images = s.Depthwise ? 1 : SideBySide(s.Pixels, s.Images, tileColumns), groups = Ceiling(s.Images, images), pitch = images * s.Columns.Out;
        int unit = tileColumns / ConvolutionPhase.CommonDivisor(tileColumns, pitch);
        long row = (long)inputs * s.Columns.Taps * s.Rows.Remainders * pitch;
        int rows = (int)Math.Clamp(ImageFloats / row - s.Rows.Reach, 1, s.Rows.Out);
        long wanted = Ceiling(Parts, (int)Math.Min(Parts, (long)groups * s.Groups));
        rows = Ceiling(s.Rows.Out, (int)Math.Max(Ceiling(s.Rows.Out, rows), Math.Min(wanted, s.Rows.Out)));
        if (rows * pitch < 256 || Ceiling(rows, unit) * unit <= 2 * rows) rows = Math.Min(Ceiling(rows, unit) * unit, s.Rows.Out);
        int bands = Ceiling(s.Rows.Out, rows), panels = Ceiling(s.Outputs, tileRows);
        int parts = Math.Clamp(Parts / 2 / (int)Math.Min(Parts, (long)groups * s.Groups * bands), 1, panels), panelsOfPart = Ceiling(panels, parts);
        return new(inputs, images, rows, bands, panelsOfPart, Ceiling(panels, panelsOfPart), groups);
    }

    /// <summary>So many images that tiles over their pixels are full, nearly.</summary>
    public static int SideBySide(int pixels, int images, int tileColumns)
    {
        int best = 1;
        double filled = 0;
        for (int n = 1; n <= Math.Min(images, 16); n++)
        {
            double part = (double)pixels * n / (Ceiling(pixels * n, tileColumns) * tileColumns);
            if (part > filled + 0.02) (best, filled) = (n, part);
            if (filled > 0.93) break;
        }

        return best;
    }

    public static int Ceiling(int a, int b) => (a + b - 1) / b;
}
