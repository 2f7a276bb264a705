using System.Numerics;

namespace Amalgam.Numerics;

/// <summary>Functions that <see cref="Vector"/> lacks, on vectors.</summary>
internal static class Special
{
    /// <summary>
    /// exp(x) to 2e-7 relative; 0 below -86.9. With n the integer next to x / ln 2, it is 2^n times the Taylor series of the rest, which is at most ln 2 / 2.
    /// </summary>
    public static Vector<float> Exp(Vector<float> x)
    {
        // x is the second operand, which the instruction returns where one is NaN. Beyond 89 the result is infinite.
        Vector<float> limited = Vector.MinNative(new(89), Vector.MaxNative(new(-86.9f), x));
        Vector<float> shifted = Vector.MultiplyAddEstimate(limited, new(1.44269504f), new(12582912f)), n = shifted - new Vector<float>(12582912f);
        Vector<float> r = Vector.MultiplyAddEstimate(n, new(-0.693359375f), limited);
        r = Vector.MultiplyAddEstimate(n, new(2.12194440e-4f), r);
        Vector<float> p = Vector.MultiplyAddEstimate(r, new(1 / 5040f), new(1 / 720f));
        p = Vector.MultiplyAddEstimate(p, r, new(1 / 120f));
        p = Vector.MultiplyAddEstimate(p, r, new(1 / 24f));
        p = Vector.MultiplyAddEstimate(p, r, new(1 / 6f));
        p = Vector.MultiplyAddEstimate(p, r, new(0.5f));
        p = Vector.MultiplyAddEstimate(p, r, Vector<float>.One);
        p = Vector.MultiplyAddEstimate(p, r, Vector<float>.One);

        // The lowest bits of the shifted number are n; half of 2^n and the sum of two halves stay in range where 2^n would not.
        Vector<float> half = p * Vector.AsVectorSingle(Vector.ShiftLeft(Vector.AsVectorInt32(shifted) + new Vector<int>(126), 23));
        return Vector.ConditionalSelect(Vector.LessThan(x, new(-86.9f)), Vector<float>.Zero, half + half);
    }

    /// <summary>y = exp(x - shift).</summary>
    public static void Exp(ReadOnlySpan<float> x, float shift, Span<float> y) => Map.Apply<ShiftedExp>(x, shift, y);

    /// <summary>y = exp(x - shift), the shift of each its own.</summary>
    public static void Exp(ReadOnlySpan<float> x, ReadOnlySpan<float> shift, Span<float> y) => Map.Apply<ShiftedExp>(x, shift, y);

    /// <summary>The error function, to 2e-7. Below 1 its Taylor series; above, one minus the tail.</summary>
    public static Vector<float> Erf(Vector<float> x)
    {
        Vector<float> a = Vector.Abs(x), far = Vector.CopySign(Vector<float>.One - Tail(a, Exp(-(x * x))), x);

        // 2/sqrt(pi) sum over n of (-1)^n x^(2n+1) / (n! (2n+1))
        Vector<float> square = x * x;
        Vector<float> s = Vector.MultiplyAddEstimate(square, new(-1 / 6894720f), new(1 / 685440f));
        s = Vector.MultiplyAddEstimate(s, square, new(-1 / 75600f));
        s = Vector.MultiplyAddEstimate(s, square, new(1 / 9360f));
        s = Vector.MultiplyAddEstimate(s, square, new(-1 / 1320f));
        s = Vector.MultiplyAddEstimate(s, square, new(1 / 216f));
        s = Vector.MultiplyAddEstimate(s, square, new(-1 / 42f));
        s = Vector.MultiplyAddEstimate(s, square, new(1 / 10f));
        s = Vector.MultiplyAddEstimate(s, square, new(-1 / 3f));
        s = Vector.MultiplyAddEstimate(s, square, Vector<float>.One);
        return Vector.ConditionalSelect(Vector.LessThan(a, Vector<float>.One), s * x * 1.1283792f, far);
    }

    /// <summary>The normal distribution function, given exp(-x^2 / 2).</summary>
    public static Vector<float> Normal(Vector<float> x, Vector<float> exponential)
    {
        Vector<float> tail = 0.5f * Tail(Vector.Abs(x) * 0.70710678f, exponential);
        return Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), tail, Vector<float>.One - tail);
    }

    /// <summary>1 / (1 + exp(-x)).</summary>
    public static Vector<float> Sigmoid(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Exp(-x));

    /// <summary>The hyperbolic tangent. Below 1 by Lambert's continued fraction, x / (1 + x^2 / (3 + x^2 / (5 + ...))), broken off at 13; above by the exponential.</summary>
    public static Vector<float> Tanh(Vector<float> x)
    {
        Vector<float> a = Vector.Abs(x), far = Vector.CopySign(Vector<float>.One - new Vector<float>(2) / (Exp(a + a) + Vector<float>.One), x), square = x * x;
        Vector<float> above = Vector.MultiplyAddEstimate(square + new Vector<float>(378), square, new(17325));
        above = Vector.MultiplyAddEstimate(above, square, new(135135)) * x;
        Vector<float> below = Vector.MultiplyAddEstimate(square, new(28), new(3150));
        below = Vector.MultiplyAddEstimate(below, square, new(62370));
        below = Vector.MultiplyAddEstimate(below, square, new(135135));
        return Vector.ConditionalSelect(Vector.LessThan(a, Vector<float>.One), above / below, far);
    }

    /// <summary>log(1 + x) for x from 0 on, exact to rounding for small x (W. Kahan's correction of the rounded sum).</summary>
    public static Vector<float> Log1P(Vector<float> x)
    {
        Vector<float> u = Vector<float>.One + x, rounded = u - Vector<float>.One;
        return Vector.ConditionalSelect(Vector.Equals(u, Vector<float>.One), x, Vector.Log(u) * (x / rounded));
    }

    /// <summary>exp(x) - 1 for x up to 0, exact to rounding near 0 (W. Kahan's correction of the rounded difference).</summary>
    public static Vector<float> ExpM1(Vector<float> x)
    {
        Vector<float> u = Exp(x), less = u - Vector<float>.One;
        Vector<float> exact = Vector.ConditionalSelect(Vector.Equals(u, Vector<float>.One), x, less * x / Vector.Log(u));
        return Vector.ConditionalSelect(Vector.LessThan(x, new(-1)), less, exact);
    }

    /// <summary>log(1 + exp(x)), without overflow.</summary>
    public static Vector<float> Softplus(Vector<float> x) => Vector.Max(x, Vector<float>.Zero) + Log1P(Exp(-Vector.Abs(x)));

    /// <summary>1 where a condition holds, else 0.</summary>
    public static Vector<float> Truth(Vector<int> condition) => Vector.ConditionalSelect(condition, Vector<float>.One, Vector<float>.Zero);

    /// <summary>1 - erf(x) for x from 0 on, given exp(-x^2), to 1.5e-7: formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions.</summary>
    private static Vector<float> Tail(Vector<float> x, Vector<float> exponential)
    {
        Vector<float> t = Vector<float>.One / Vector.MultiplyAddEstimate(x, new(0.3275911f), Vector<float>.One);
        Vector<float> p = Vector.MultiplyAddEstimate(t, new(1.061405429f), new(-1.453152027f));
        p = Vector.MultiplyAddEstimate(p, t, new(1.421413741f));
        p = Vector.MultiplyAddEstimate(p, t, new(-0.284496736f));
        p = Vector.MultiplyAddEstimate(p, t, new(0.254829592f));
        return p * t * exponential;
    }

    private readonly struct ShiftedExp : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> shift) => Exp(x - shift);
    }
}
