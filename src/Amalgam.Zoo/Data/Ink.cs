namespace Amalgam.Zoo.Data;

/// <summary>A plane of ink from 0 to 1, row by row, on which lines are drawn.</summary>
/// <param name="side">Rows and columns.</param>
internal sealed class Ink(int side)
{
    /// <summary>Deviation of <see cref="Noise"/>.</summary>
    public const float NoiseDeviation = 147.8f;

    private readonly float[] _plane = new float[side * side];

    /// <summary>The ink of each pixel.</summary>
    public ReadOnlySpan<float> Plane => _plane;

    /// <summary>Takes all ink away.</summary>
    public void Clear() => _plane.AsSpan().Clear();

    /// <summary>Inks the pixels whose middle is nearer to the line than half the stroke; the edge is soft, one pixel wide.</summary>
    public void Line((float X, float Y) a, (float X, float Y) b, float half, float strength)
    {
        float reach = half + 0.5f, dx = b.X - a.X, dy = b.Y - a.Y, scale = 1 / MathF.Max(dx * dx + dy * dy, 1e-6f);
        int left = Math.Max(0, (int)MathF.Ceiling(MathF.Min(a.X, b.X) - reach)), right = Math.Min(side - 1, (int)MathF.Floor(MathF.Max(a.X, b.X) + reach));
        int top = Math.Max(0, (int)MathF.Ceiling(MathF.Min(a.Y, b.Y) - reach)), bottom = Math.Min(side - 1, (int)MathF.Floor(MathF.Max(a.Y, b.Y) + reach));
        for (int row = top; row <= bottom; row++)
        {
            for (int column = left; column <= right; column++)
            {
                float along = Math.Clamp(((column - a.X) * dx + (row - a.Y) * dy) * scale, 0, 1);
                float offX = column - a.X - along * dx, offY = row - a.Y - along * dy;
                float ink = strength * Math.Clamp(reach - MathF.Sqrt(offX * offX + offY * offY), 0, 1);
                ref float pixel = ref _plane[row * side + column];
                if (ink > pixel) pixel = ink;
            }
        }
    }

    /// <summary>The sum of a random word's four bytes about its mean: nearly normal, of the deviation <see cref="NoiseDeviation"/>.</summary>
    public static float Noise(uint word)
    {
        const float MeanOfSum = 510;
        int sum = (int)((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
        return sum - MeanOfSum;
    }

    /// <summary>A brightness as a byte.</summary>
    public static byte Byte(float brightness) => (byte)(Math.Clamp(brightness, 0, 1) * 255 + 0.5f);
}
