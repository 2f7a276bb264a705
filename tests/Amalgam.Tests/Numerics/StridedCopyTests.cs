using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class StridedCopyTests
{
    [Fact]
    public void Copies_what_a_loop_over_all_positions_copies() => Property.Holds(generator =>
    {
        int rank = generator.Random.Next(6);
        int[] sizes = [.. Enumerable.Range(0, rank).Select(_ => generator.Random.Next(4) == 0 ? 1 : generator.Size(rank > 3 ? 12 : 90))];
        var (from, xCount) = Steps(generator, sizes, mayRepeat: true);
        var (to, yCount) = Steps(generator, sizes, mayRepeat: false);
        float[] x = generator.Floats(xCount + 7), y = new float[yCount + 5], expected = new float[y.Length];
        int first = 7, firstTo = 5;
        foreach (int[] at in Positions(sizes)) expected[firstTo + Dot(at, to)] = x[first + Dot(at, from)];

        StridedCopy copy = default;
        for (int i = 0; i < rank; i++) copy.Add(sizes[i], from[i], to[i]);
        copy.Run(x, first, y, firstTo);

        Assert.Equal(expected, y);
    }, runs: 200);

    [Fact]
    public void Goes_backwards()
    {
        float[] x = [.. Enumerable.Range(0, 12).Select(i => (float)i)], y = new float[6];
        StridedCopy copy = default;
        copy.Add(2, -6, 3);
        copy.Add(3, -2, 1);
        copy.Run(x, 11, y, 0);
        Assert.Equal([11, 9, 7, 5, 3, 1], y);
    }

    [Fact]
    public void Copies_nothing_along_an_axis_without_positions()
    {
        float[] y = [1];
        StridedCopy copy = default;
        copy.Add(3, 0, 0);
        copy.Add(0, 1, 1);
        copy.Run(Array.Empty<float>(), 0, y, 0);
        Assert.Equal([1], y);
    }

    /// <summary>Steps of a dense layout with the axes in a random order; perhaps some that repeat.</summary>
    private static (int[] Steps, int Count) Steps(Generator generator, int[] sizes, bool mayRepeat)
    {
        int[] order = [.. Enumerable.Range(0, sizes.Length)], steps = new int[sizes.Length];
        if (generator.Random.Next(2) == 0) generator.Random.Shuffle(order);
        int step = 1;
        foreach (int axis in order.Reverse())
        {
            if (mayRepeat && generator.Random.Next(8) == 0) continue;
            steps[axis] = step;
            step *= sizes[axis];
        }

        return (steps, step);
    }

    private static IEnumerable<int[]> Positions(int[] sizes)
    {
        int count = sizes.Aggregate(1, (product, size) => product * size);
        for (int i = 0; i < count; i++)
        {
            int[] at = new int[sizes.Length];
            int rest = i;
            for (int axis = sizes.Length - 1; axis >= 0; axis--)
            {
                at[axis] = rest % sizes[axis];
                rest /= sizes[axis];
            }

            yield return at;
        }
    }

    private static int Dot(int[] a, int[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
