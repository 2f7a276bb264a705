namespace Amalgam.Zoo.Report;

/// <summary>An axis over a range of values, with marks at round numbers.</summary>
internal sealed class Axis
{
    private const double Least = 1e-7;

    private readonly int _decimals;
    private readonly bool _percent;
    private readonly double _step;

    /// <param name="low">Smallest value that must have room.</param>
    /// <param name="high">Largest one.</param>
    /// <param name="marks">About how many marks there may be.</param>
    /// <param name="percent">Whether values are shares to be written in percent.</param>
    /// <param name="widen">Whether the ends move out to round numbers.</param>
    /// <param name="whole">Whether marks stand at whole numbers only.</param>
    public Axis(double low, double high, int marks, bool percent = false, bool widen = true, bool whole = false)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high)) (low, high) = (0, 1);
        // What differs by less than a float holds, and what is read off a picture, is one value.
        if (high - low <= Least * Math.Max(Math.Abs(low), Math.Abs(high))) (low, high) = low == 0 ? (0, 1) : (low - Math.Abs(low) / 2, low + Math.Abs(low) / 2);
        double rough = (high - low) / Math.Max(1, marks), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        _step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        if (whole) _step = Math.Max(1, _step);
        _percent = percent;
        _decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(_step) + 1e-9) - (percent ? 2 : 0));
        (Low, High) = widen ? (Math.Floor(low / _step + 1e-9) * _step, Math.Ceiling(high / _step - 1e-9) * _step) : (low, high);
    }

    /// <summary>Value at the axis' begin.</summary>
    public double Low { get; }

    /// <summary>Value at its end.</summary>
    public double High { get; }

    /// <summary>The marks' values and what stands at them.</summary>
    public IEnumerable<(double Value, string Text)> Marks
    {
        get
        {
            for (double i = Math.Ceiling(Low / _step - 1e-9); i * _step <= High + _step * 1e-9; i++)
                yield return (i * _step, i == 0 && Scientific ? "0" : Figures.Text(i * _step, Format));
        }
    }

    private bool Scientific => Math.Max(Math.Abs(Low), Math.Abs(High)) is >= 1e6 or < 1e-4;

    private string Format => Scientific ? "0.##e+0" : $"0{(_decimals > 0 ? "." + new string('0', _decimals) : "")}{(_percent ? "%" : "")}";

    /// <summary>Where a value lies, 0 at the begin and 1 at the end; values outside lie at the nearer end.</summary>
    public double Share(double value) => Math.Clamp((value - Low) / (High - Low), 0, 1);
}
