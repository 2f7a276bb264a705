using System.Globalization;

namespace Amalgam.Fuzz;

/// <summary>What the cases of a batch came to.</summary>
internal sealed class Outcome
{
    public long Cases { get; private set; }

    public long Parsed { get; private set; }

    public long Refused { get; private set; }

    public double WorstMilliseconds { get; private set; }

    /// <summary>Most bytes allocated in a case beyond twice the file.</summary>
    public long WorstExcess { get; private set; } = long.MinValue;

    /// <summary>All bytes allocated in the case that allocated most.</summary>
    public long WorstAllocation { get; private set; }

    public void Add(bool parsed, double milliseconds, long allocated, long size)
    {
        Cases++;
        if (parsed) Parsed++;
        else Refused++;
        WorstMilliseconds = Math.Max(WorstMilliseconds, milliseconds);
        WorstAllocation = Math.Max(WorstAllocation, allocated);
        WorstExcess = Math.Max(WorstExcess, allocated - 2 * size);
    }

    public void AddFailure() => Cases++;

    public void Add(Outcome other)
    {
        (Cases, Parsed, Refused) = (Cases + other.Cases, Parsed + other.Parsed, Refused + other.Refused);
        WorstMilliseconds = Math.Max(WorstMilliseconds, other.WorstMilliseconds);
        WorstAllocation = Math.Max(WorstAllocation, other.WorstAllocation);
        WorstExcess = Math.Max(WorstExcess, other.WorstExcess);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Cases}\t{Parsed}\t{Refused}\t{WorstMilliseconds:R}\t{WorstAllocation}\t{WorstExcess}");

    public static Outcome Parse(string line)
    {
        string[] f = line.Split('\t');
        long Long(int i) => long.Parse(f[i], CultureInfo.InvariantCulture);
        return new()
        {
            Cases = Long(0),
            Parsed = Long(1),
            Refused = Long(2),
            WorstMilliseconds = double.Parse(f[3], CultureInfo.InvariantCulture),
            WorstAllocation = Long(4),
            WorstExcess = Long(5),
        };
    }
}
