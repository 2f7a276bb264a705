using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>One image of a grid.</summary>
/// <param name="Width">Pixels from left to right.</param>
/// <param name="Height">Pixels from top to bottom.</param>
/// <param name="Pixels">Row by row: one byte for a pixel is grey, three are red, green and blue.</param>
/// <param name="Caption">What stands below it; may be empty.</param>
public sealed record ImageTile(int Width, int Height, ImmutableArray<byte> Pixels, string Caption = "")
{
    /// <summary>An image as networks take it.</summary>
    /// <param name="shape">Its shape: [channels, height, width].</param>
    /// <param name="values">Channel after channel, row by row.</param>
    /// <param name="low">Value of black.</param>
    /// <param name="high">Value of white.</param>
    /// <param name="caption">What stands below it.</param>
    public static ImageTile Of(Shape shape, ReadOnlySpan<float> values, float low = 0, float high = 1, string caption = "")
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shape.Rank, 3, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, shape.Count, nameof(values));
        int channels = (int)shape[0], plane = (int)(shape[1] * shape[2]);
        byte[] pixels = new byte[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            float share = (values[i] - low) / (high - low);
            pixels[i % plane * channels + i / plane] = float.IsNaN(share) ? (byte)0 : (byte)MathF.Round(255 * Math.Clamp(share, 0, 1));
        }

        return new((int)shape[2], (int)shape[1], [.. pixels], caption);
    }
}

/// <summary>Images in rows, each pixel a square of its own.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="Tiles">The images.</param>
/// <param name="Scale">Points on the page for a pixel.</param>
public sealed record ImageGrid(string Title, ImmutableArray<ImageTile> Tiles, int Scale = 2) : ReportPart
{
    internal override void Write(Markup html)
    {
        Figure(html, "images", Title).Open("div");
        foreach (ImageTile tile in Tiles)
        {
            html.Open("div").Empty(
                "img", ("src", Address(tile.Width, tile.Height, tile.Pixels.AsSpan())), ("width", $"{tile.Width * Scale}"), ("height", $"{tile.Height * Scale}"), ("alt", tile.Caption));
            if (tile.Caption != "") html.Element("span", tile.Caption);
            html.Close();
        }

        html.Close().Close();
    }
}
