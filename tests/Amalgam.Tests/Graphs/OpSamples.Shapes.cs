using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Samples of what moves elements, changes shapes and looks up.</summary>
internal static class ShapeSamples
{
    private static readonly Shape Large = new(96, 40, 20);

    public static IReadOnlyList<OpSample> All { get; } = [.. Views(), .. Moves(), .. Pads(), .. Lookups(), .. Writes(), .. Made(), .. Choices(), .. Dropped()];

    private static IEnumerable<OpSample> Views()
    {
        OpInput x = OpInput.X(new(2, 3, 4)), large = OpInput.X(Large);
        foreach (OpInput of in new[] { x, large })
        {
            yield return new(new Identity(), [of], a => a[0]);
            yield return new(new Flatten(2), [of], a => a[0].Reshape(a[0].Shape[0] * a[0].Shape[1], a[0].Shape[2]));
            yield return new(new Unsqueeze([0, -1]), [of], a => a[0].Reshape([1, .. a[0].Shape.Sizes, 1]));
            yield return new(new Squeeze([-1]), [of.As([.. of.Shape.Sizes, 1])], a => a[0].Reshape(a[0].Shape.Sizes[..^1]));
            yield return new(new Reshape(), [of, OpInput.Known(0, -1)], a => a[0].Reshape(a[0].Shape[0], a[0].Shape[1] * a[0].Shape[2]));
            yield return new(new Reshape(AllowZero: true), [of, OpInput.Known(-1)], a => a[0].Reshape(a[0].Shape.Count));
            yield return new(new Dropout(0.25f), [of], a => a[0]);
        }

        yield return new(new Reshape(), [x, OpInput.Known(6, 2, 2)], a => a[0].Reshape(6, 2, 2));
        yield return new(new Flatten(0), [x], a => a[0].Reshape(1, 24));
        yield return new(new Squeeze(default), [x.As(1, 6, 1, 4)], a => a[0].Reshape(6, 4));
    }

    private static IEnumerable<OpSample> Moves()
    {
        OpInput x = OpInput.X(new(2, 3, 4)), large = OpInput.X(Large);
        foreach (OpInput of in new[] { x, large })
        {
            foreach (int[] order in new int[][] { [0, 2, 1], [1, 0, 2], [2, 0, 1], [2, 1, 0], [0, 1, 2] }) yield return new(new Transpose([.. order]), [of], a => Transposed(a[0], order));
            yield return new(new Concat(-1), [of, of, OpInput.X(of.Shape, seed: 3)], a => Joined(2, a));
            yield return new(new Concat(0), [of, OpInput.X(new([1, .. of.Shape.Sizes[1..]]), seed: 4)], a => Joined(0, a));
            yield return new(new Expand(), [of.As([.. of.Shape.Sizes[..2], 1, of.Shape[2]]), OpInput.Known(3, 1)], a => Grid.Of(new([.. a[0].Shape.Sizes[..2], 3, a[0].Shape[3]]), a[0].Stretched));
            yield return new(new Tile(), [of, OpInput.Known(2, 1, 3)], a => Grid.Of(new(a[0].Shape[0] * 2, a[0].Shape[1], a[0].Shape[2] * 3), at => a[0][at[0] % a[0].Shape.Size(0), at[1], at[2] % a[0].Shape.Size(2)]));
            yield return new(new Slice(), [of, OpInput.Known(1, -1), OpInput.Known(long.MaxValue, long.MinValue), OpInput.Known(0, -1), OpInput.Known(1, -2)],
                a => Grid.Of(new(a[0].Shape[0] - 1, a[0].Shape[1], a[0].Shape[2] / 2), at => a[0][at[0] + 1, at[1], a[0].Shape.Size(2) - 1 - 2 * at[2]]));
            yield return new(new Trilu(), [of], a => Grid.Of(a[0].Shape, at => at[2] >= at[1] ? a[0][at] : 0)) { IsSerial = true };
            yield return new(new Trilu(Upper: false), [of, OpInput.Known(-1).As()], a => Grid.Of(a[0].Shape, at => at[2] <= at[1] - 1 ? a[0][at] : 0)) { IsSerial = true };
        }

        yield return new(new Transpose(default), [OpInput.X(new(3, 2, 2, 5))], a => Transposed(a[0], [3, 2, 1, 0]));
        yield return new(new Transpose([0, 2, 1, 3]), [OpInput.X(new(4, 30, 12, 64))], a => Transposed(a[0], [0, 2, 1, 3]));
        yield return new(new Slice(), [x, OpInput.Known(0, 2), OpInput.Known(1, 3)], a => Grid.Of(new(1, 1, 4), at => a[0][0, 2, at[2]]));
        yield return new(new SliceGradient(x.Shape), [OpInput.X(new(2, 3, 2)), OpInput.Known(1), OpInput.Known(4), OpInput.Known(2), OpInput.Known(2)],
            a => Grid.Of(x.Shape, at => at[2] % 2 == 1 ? a[0][at[0], at[1], at[2] / 2] : 0));
        yield return new(new SliceGradient(Large), [OpInput.X(new(96, 40, 20)), OpInput.Known(-20), OpInput.Known(99), OpInput.Known(2)], a => a[0]);
    }

    private static IEnumerable<OpSample> Pads()
    {
        foreach (OpInput of in new[] { OpInput.X(new(2, 3, 4)), OpInput.X(Large) })
        {
            yield return new(new Pad(), [of, OpInput.Known(1, -1, 0, 0, 1, 2), OpInput.X(default, seed: 9)], a => Padded(a[0], [1, -1, 0], [0, 1, 2], (i, _) => i, a[2].Values[0]));
            yield return new(new Pad(), [of, OpInput.Known(2, 1), OpInput.X(default), OpInput.Known(-2)], a => Padded(a[0], [0, 2, 0], [0, 1, 0], (i, _) => i, a[2].Values[0]));
            yield return new(new Pad(PadMode.Edge), [of, OpInput.Known(2, 0, 1, 0, 5, 1)], a => Padded(a[0], [2, 0, 1], [0, 5, 1], (i, n) => Math.Clamp(i, 0, n - 1), 0));
            yield return new(new Pad(PadMode.Reflect), [of, OpInput.Known(1, 0, 2, 0, 2, 3)], a => Padded(a[0], [1, 0, 2], [0, 2, 3], (i, n) => i < 0 ? -i : i >= n ? 2 * n - 2 - i : i, 0));
            yield return new(new Pad(PadMode.Wrap), [of, OpInput.Known(1, 2, 0, 0, 0, 4)], a => Padded(a[0], [1, 2, 0], [0, 0, 4], (i, n) => (i + n) % n, 0));
        }

        yield return new(new PadGradient(PadMode.Edge, new(3, 2)), [OpInput.X(new(4, 5)), OpInput.Known(1, 2, 0, 1)], a =>
        {
            Grid sum = Grid.Of(new(3, 2), _ => 0);
            Grid.Of(a[0].Shape, at => sum[Math.Clamp(at[0] - 1, 0, 2), Math.Clamp(at[1] - 2, 0, 1)] += a[0][at]);
            return sum;
        })
        { IsSerial = true };
    }

    private static IEnumerable<OpSample> Lookups()
    {
        foreach (OpInput table in new[] { OpInput.X(new(5, 3, 4)), OpInput.X(Large) })
        {
            for (int axis = 0; axis < 3; axis++)
            {
                int of = axis, size = table.Shape.Size(axis);
                int rows = table.Shape == Large ? 70 : 7;
                OpInput indices = OpInput.Ids(new(2, rows), 2 * size, seed: axis).Map(i => i - size);
                yield return new(new Gather(axis), [table, indices], a => Grid.Of(new([.. a[0].Shape.Sizes[..of], 2, rows, .. a[0].Shape.Sizes[(of + 1)..]]),
                    at => a[0][[.. at[..of], Position(a[1][at[of], at[of + 1]], size), .. at[(of + 2)..]]]));
                OpInput elements = OpInput.Ids(table.Shape, 2 * size, seed: axis).Map(i => i - size);
                yield return new(new GatherElements(axis), [table, elements], a => Grid.Of(a[0].Shape, at => a[0][At(at, of, Position(a[1][at], size))]));
                yield return new(new ScatterAdd(axis, table.Shape), [OpInput.X(new([.. table.Shape.Sizes[..of], 2, rows, .. table.Shape.Sizes[(of + 1)..]])), indices],
                    a => Added(table.Shape, a[0], at => [.. at[..of], Position(a[1][at[of], at[of + 1]], size), .. at[(of + 2)..]]));
            }
        }

        yield return new(new Gather(1), [OpInput.X(new(2, 3)), OpInput.Known(2).As()], a => Grid.Of(new(2), at => a[0][at[0], 2]));
        yield return new(new Gather(0), [OpInput.X(new(3, 4)), OpInput.Known(2, 0, 1)], a => Grid.Of(new(3, 4), at => a[0][(at[0] + 2) % 3, at[1]]));
        OpInput x = OpInput.X(new(3, 4, 2)), places = new OpInput(new(2, 2), [2, 3, -1, 0]) { Type = DType.I64 };
        yield return new(new GatherND(), [x, places], a => Grid.Of(new(2, 2), at => a[0][2, at[0] == 0 ? 3 : 0, at[1]])) { IsSerial = true };
        yield return new(new GatherND(1), [x, places.As(2, 2, 1) with { Shape = new(3, 1), Values = [3, 0, 1] }], a => Grid.Of(new(3, 2), at => a[0][at[0], (int)a[1].Values[at[0]], at[1]])) { IsSerial = true };
        yield return new(new GatherNDGradient(0, x.Shape), [OpInput.X(new(2, 2)), places], a => Added(x.Shape, a[0], at => [2, at[0] == 0 ? 3 : 0, at[1]])) { IsSerial = true };
    }

    private static IEnumerable<OpSample> Writes()
    {
        OpInput x = OpInput.X(new(4, 3)), updates = OpInput.X(new(2, 3), seed: 2), rows = new OpInput(new(2, 3), [0, 3, 2, -1, 1, 0]) { Type = DType.I64 };
        foreach (ScatterReduction reduction in Enum.GetValues<ScatterReduction>())
        {
            bool isLinear = reduction is ScatterReduction.Add or ScatterReduction.None;
            OpInput to = x with { IsDifferentiable = isLinear }, by = updates with { IsDifferentiable = isLinear };
            yield return new(new ScatterElements(0, reduction), [to, rows, by], a => Written(a[0], a[2], at => [Position(a[1][at], 4), at[1]], reduction)) { IsSerial = true };
            yield return new(new ScatterND(reduction), [to, new OpInput(new(2, 1), [3, -3]) { Type = DType.I64 }, by], a => Written(a[0], a[2], at => [at[0] == 0 ? 3 : 1, at[1]], reduction)) { IsSerial = true };
        }
    }

    private static IEnumerable<OpSample> Made()
    {
        OpInput x = OpInput.Still(new(4, 3));
        yield return new(new ShapeOf(), [x], _ => new(new(2), [4, 3])) { IsSerial = true };
        yield return new(new ShapeOf(-1), [x], _ => new(new(1), [3])) { IsSerial = true };
        yield return new(new SizeOf(), [x], _ => 12) { IsSerial = true };
        yield return new(new Sequence(), [OpInput.Known(2).As(), OpInput.Known(9).As(), OpInput.Known(3).As()], _ => new(new(3), [2, 5, 8])) { IsSerial = true };
        yield return new(new ConstantOfShape(1.5f), [OpInput.Known(2, 3)], _ => Grid.Of(new(2, 3), _ => 1.5)) { IsSerial = true };
        yield return new(new EyeLike(1), [x], _ => Grid.Of(new(4, 3), at => at[1] == at[0] + 1 ? 1 : 0)) { IsSerial = true };
        foreach (int axis in new[] { -1, 0, 1 })
        {
            yield return new(new OneHot(axis), [OpInput.Ids(new(2, 5), 6).Map(i => i - 2), OpInput.Known(4).As(), OpInput.Known(-1, 7)], a =>
            {
                int place = axis < 0 ? 2 : axis;
                long[] sizes = [2, 5];
                return Grid.Of(new([.. sizes[..place], 4, .. sizes[place..]]), at => a[0][[.. at[..place], .. at[(place + 1)..]]] is var index && (index < 0 ? index + 4 : index) == at[place] ? 7 : -1);
            })
            { IsSerial = true };
        }
    }

    private static IEnumerable<OpSample> Choices()
    {
        foreach (bool largest in new[] { true, false })
        {
            foreach (int axis in new[] { 0, 1, -1 })
            {
                OpInput x = new(new(3, 4, 5), [.. Enumerable.Range(0, 60).Select(i => i * 37 % 60 * 0.25f)]) { IsDifferentiable = true };
                yield return new(new TopKValues(axis, largest), [x, OpInput.Known(2)], a => Largest(a[0], axis, largest, 2, position: false)) { IsSerial = true };
                yield return new(new TopKIndices(axis, largest), [x with { IsDifferentiable = false }, OpInput.Known(3)], a => Largest(a[0], axis, largest, 3, position: true)) { IsSerial = true };
            }
        }

        OpInput numbers = OpInput.X(new(7, 9), -300, 300), many = OpInput.X(Large, -70000, 70000);
        foreach (OpInput x in new[] { numbers, many })
        {
            OpInput still = x with { IsDifferentiable = false };
            yield return new(new Cast(DType.F64), [x], a => a[0]);
            yield return new(new Cast(DType.I64), [still], a => a[0].Map(Math.Truncate));
            yield return new(new Cast(DType.I8), [still], a => a[0].Map(v => (sbyte)(long)v));
            yield return new(new Cast(DType.U16), [still], a => a[0].Map(v => (ushort)(long)v));
            yield return new(new Cast(DType.Bool), [still], a => a[0].Map(v => v != 0 ? 1 : 0));
        }

        // A gradient passes through rounding as if there were none, which differences do not see.
        yield return new(new Cast(DType.F16), [OpInput.X(new(5, 5), -3, 3) with { IsDifferentiable = false, Type = DType.I64 }], a => a[0].Map(v => (double)(Half)v));
        yield return new(new Cast(DType.BF16), [OpInput.Of(1.00390625f, 1.01171875f, -3.3895314e38f) with { Type = DType.I64 }], _ => new(new(3), [1, 1.015625, -3.3895313892515355e38]));
    }

    private static IEnumerable<OpSample> Dropped()
    {
        // What is drawn is tested by its distribution; here a mask that drops nothing, and one for the laws on threads.
        OpInput seed = OpInput.Of(3).As(), step = OpInput.Of(8).As();
        yield return new(new DropoutMask(0, 1, new(3, 5)), [seed, step], _ => Grid.Of(new(3, 5), _ => 1));
        yield return new(new DropoutMask(0, 1, Large), [seed, step], _ => Grid.Of(Large, _ => 1)) { IsSerial = true };
        yield return new(new DropoutMask(0.5f, 1, Large), [seed, step], null);
    }

    private static Grid Transposed(Grid x, int[] order) => Grid.Of(new([.. order.Select(axis => x.Shape[axis])]), at =>
    {
        int[] from = new int[order.Length];
        for (int i = 0; i < order.Length; i++) from[order[i]] = at[i];
        return x[from];
    });

    private static Grid Joined(int axis, Grid[] parts) => Grid.Of(new([.. parts[0].Shape.Sizes[..axis], parts.Sum(p => p.Shape[axis]), .. parts[0].Shape.Sizes[(axis + 1)..]]), at =>
    {
        int i = 0, position = at[axis];
        while (position >= parts[i].Shape.Size(axis)) position -= parts[i++].Shape.Size(axis);
        return parts[i][At(at, axis, position)];
    });

    private static Grid Padded(Grid x, int[] before, int[] after, Func<int, int, int> inside, double value) =>
        Grid.Of(new([.. x.Shape.Sizes.ToArray().Select((size, axis) => size + before[axis] + after[axis])]), at =>
        {
            int[] from = [.. at.Select((position, axis) => inside(position - before[axis], x.Shape.Size(axis)))];
            return from.Where((position, axis) => position < 0 || position >= x.Shape.Size(axis)).Any() ? value : x[from];
        });

    private static Grid Added(Shape shape, Grid dy, Func<int[], int[]> place)
    {
        Grid sum = Grid.Of(shape, _ => 0);
        Grid.Of(dy.Shape, at => sum[place(at)] += dy[at]);
        return sum;
    }

    private static Grid Written(Grid x, Grid updates, Func<int[], int[]> place, ScatterReduction reduction)
    {
        Grid y = x.Map(v => v);
        Grid.Of(updates.Shape, at => y[place(at)] = reduction switch
        {
            ScatterReduction.None => updates[at],
            ScatterReduction.Add => y[place(at)] + updates[at],
            ScatterReduction.Mul => y[place(at)] * updates[at],
            ScatterReduction.Max => Math.Max(y[place(at)], updates[at]),
            _ => Math.Min(y[place(at)], updates[at]),
        });
        return y;
    }

    private static Grid Largest(Grid x, int axis, bool largest, int k, bool position)
    {
        axis = axis < 0 ? axis + x.Rank : axis;
        return Grid.Of(new([.. x.Shape.Sizes[..axis], k, .. x.Shape.Sizes[(axis + 1)..]]), at =>
        {
            var line = Enumerable.Range(0, x.Shape.Size(axis)).Select(i => (Value: x[At(at, axis, i)], Position: i));
            var chosen = (largest ? line.OrderByDescending(p => p.Value) : line.OrderBy(p => p.Value)).ElementAt(at[axis]);
            return position ? chosen.Position : chosen.Value;
        });
    }

    private static int[] At(int[] at, int axis, int position)
    {
        int[] other = [.. at];
        other[axis] = position;
        return other;
    }

    private static int Position(double index, int size) => (int)(index < 0 ? index + size : index);
}
