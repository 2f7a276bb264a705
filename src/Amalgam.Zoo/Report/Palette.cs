namespace Amalgam.Zoo.Report;

/// <summary>
/// Colours for values: from dark violet to yellow as matplotlib's viridis (van der Walt and Smith 2015), which grows lighter steadily, prints in grey and can be
/// read by people with colour-blindness; or from blue over near white to orange for values on both sides of zero.
/// </summary>
internal static class Palette
{
    private static readonly uint[] Rising = [0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725];
    private static readonly uint[] TwoSided = [0x08519C, 0x4A90C8, 0xA6CBE3, 0xF4F4F2, 0xF7C08A, 0xE5822F, 0xA84300];

    /// <summary>The colour of a share of the range.</summary>
    /// <param name="share">From 0 to 1; NaN is grey.</param>
    /// <param name="twoSided">Whether the middle is zero.</param>
    public static (byte Red, byte Green, byte Blue) Of(double share, bool twoSided)
    {
        if (double.IsNaN(share)) return (0x90, 0x90, 0x90);
        uint[] colours = twoSided ? TwoSided : Rising;
        double place = Math.Clamp(share, 0, 1) * (colours.Length - 1);
        int from = Math.Min((int)place, colours.Length - 2);
        double part = place - from;
        byte Mix(int shift) => (byte)Math.Round((1 - part) * ((colours[from] >> shift) & 255) + part * ((colours[from + 1] >> shift) & 255));
        return (Mix(16), Mix(8), Mix(0));
    }

    public static string Css((byte Red, byte Green, byte Blue) colour) => $"#{colour.Red:x2}{colour.Green:x2}{colour.Blue:x2}";

    /// <summary>Black or white, whichever reads better on a colour: by its relative luminance, about.</summary>
    public static string InkOn((byte Red, byte Green, byte Blue) c) => 0.299 * c.Red + 0.587 * c.Green + 0.114 * c.Blue > 140 ? "#000" : "#fff";
}
