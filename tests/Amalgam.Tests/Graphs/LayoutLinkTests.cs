using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>What is said of axes beyond one to one ties, which the laws of operators check.</summary>
public class LayoutLinkTests
{
    private readonly Graph _graph = new();

    [Fact]
    public void Reshape_ties_the_smallest_groups_of_equal_products()
    {
        Node x = _graph.Input("x", new(2, 12, 1, 5, 3));
        Assert.Equal(["y0 = x0", "y1*y2 = x1", "y3 = x3*x4"], Links(x.Reshape(2, 3, 4, 15), x));
        Assert.Equal(["y0*y1*y3 = x0*x1", "y4 = x3", "y5 = x4"], Links(x.Reshape(3, 4, 1, 2, 5, 3), x));
    }

    [Fact]
    public void Slice_of_some_positions_takes_them()
    {
        Node x = _graph.Input("x", new(4, 6));
        Assert.Equal(["y0 = x0", "y1 of x1: 1 3 5"], Links(x.Slice(1, 1, 6, 2), x));
        Assert.Equal(["y0 = x0", "y1 = x1"], Links(x.Slice(1, 0), x));
    }

    [Fact]
    public void Concat_joins_its_axis()
    {
        Node x = _graph.Input("x", new(4, 6));
        Assert.Equal(["y1 joins x1 x1", "y0 = x0", "y0 = x0"], Links(Layout.Concat(1, x, x), x));
    }

    [Fact]
    public void A_constant_around_an_axis_joins_it_with_new_positions()
    {
        Node x = _graph.Input("x", new(4, 6));
        Assert.Equal(["y0 = x0", "y1 joins digit2 x1 digit3"], Links(x.Pad([0, 2, 0, 3]), x));
        Assert.Equal(["y0 = x0", "y1 fixed: padded", "x1 fixed: padded"], Links(_graph.Add(new Pad(PadMode.Reflect), x, _graph.Constant([0, 2, 0, 3])), x));
    }

    [Fact]
    public void An_embedding_fixes_its_rows_and_passes_its_features()
    {
        Node table = _graph.Weights(new(1), 9, 4), ids = _graph.Input("ids", new(2, 3));
        Assert.Equal(["y2 = x1", "x0 fixed: looked up by index", "y0 = other0", "y1 = other1"], Links(table.Gather(ids), table));
        Assert.Equal(["y1 = x1", "y0 of x0: 8 0"], Links(table.Gather(_graph.Constant([-1, 0])), table));
    }

    [Fact]
    public void A_gru_ties_its_units_to_every_gate()
    {
        Node x = _graph.Input("x", new(5, 2, 3)), w = _graph.Input("w", new(1, 12, 3)), r = _graph.Input("r", new(1, 12, 4)), b = _graph.Input("b", new(1, 24));
        string[] links = Links(_graph.Add(new Gru(), x, w, r, b), w);
        Assert.Contains("x1 = digit3*y3", links);
        Assert.Contains("x2 += other2", links);
        Assert.Contains("other2 += y3", links);
        Assert.Contains("other1 = digit2*digit3*y3", links);
        Assert.DoesNotContain(links, link => link.StartsWith("y3 fixed", StringComparison.Ordinal));
    }

    [Fact]
    public void Places_fix_the_axes_that_they_are_in_and_pass_the_rest()
    {
        Node x = _graph.Input("x", new(2, 5, 3, 4)), indices = _graph.Input("i", new(2, 6, 1)), updates = _graph.Input("u", new(2, 6, 5, 3, 4));
        Assert.Equal(["y0 = x0", "y0 = other0", "y1 = other1", "y2 = x2", "y3 = x3", "x1 fixed: looked up by index", "other2 fixed: holds a place"], Links(_graph.Add(new GatherND(1), x, indices), x));
        string[] links = Links(_graph.Add(new ScatterND(), x, indices, updates), x);
        Assert.Contains("y3 = x3", links);
        Assert.Contains("y3 = other4", links);
        Assert.Contains("x0 fixed: looked up by index", links);
        Assert.Contains("other1 fixed: written by index", links);
        Assert.DoesNotContain(links, link => link.StartsWith("x3 fixed", StringComparison.Ordinal));
    }

    [Fact]
    public void One_hot_fixes_the_new_axis()
    {
        Node x = _graph.Input("x", new(4, 6));
        Assert.Equal(["y0 = x0", "y2 = x1", "y1 fixed: indices are positions along it", "other0 fixed: off is not on"], Links(_graph.Add(new OneHot(1), x, _graph.Constant([9]), _graph.Constant([0, 1])), x));
    }

    [Fact]
    public void A_window_of_one_position_passes_positions_and_one_of_all_forgets_them()
    {
        Node x = _graph.Input("x", new(2, 3, 8, 5)), w = _graph.Weights(new(1), 4, 3, 1, 3);
        string[] links = Links(_graph.Add(new Conv(), x, w), x);
        Assert.Contains("y2 = x2", links);
        Assert.Contains("x3 fixed: windows over neighbouring positions", links);
        Assert.DoesNotContain("y2 = x2", Links(_graph.Add(new Conv([2, 1]), x, w), x));
        Assert.DoesNotContain("y2 = x2", Links(_graph.Add(new Conv(default, [1, 0, 1, 0]), x, w), x));
        Assert.Equal(["y0 = x0", "y1 = x1", "y2 = x2"], Links(_graph.Add(new MaxPool([1, 5], default, default), x), x));
        Assert.Contains("x3 fixed: windows over neighbouring positions", Links(_graph.Add(new MaxPool([1, 5], default, [0, 1, 0, 1]), x), x));
    }

    [Fact]
    public void What_is_normalised_along_an_axis_mixes_it()
    {
        Node x = _graph.Input("x", new(2, 6, 5));
        Assert.Contains("y1 mixed", Links(_graph.Add(new Softmax(1), x), x));
        Assert.Contains("y1*y2 mixed", Links(_graph.Add(new LayerNormalization(1), x, _graph.Weights(new(1), 6, 5)), x));
        Node six = _graph.Weights(new(2), 6);
        Assert.Contains("digit3*y2 mixed", Links(_graph.Add(new GroupNormalization(2), x, six, six), x));
    }

    private static string[] Links(Node y, Node x)
    {
        AxisLinks links = new();
        links.Ask(y);
        return [.. links.Links.Select(Text)];

        string Name(Axis axis) => axis.Node is null ? $"digit{axis.Size}" : $"{(axis.Node == y ? "y" : axis.Node == x ? "x" : "other")}{axis.Index}";
        string Product(IEnumerable<Axis> axes) => string.Join('*', axes.Select(Name));
        string Text(AxisLink link) => link switch
        {
            SameAxis same => $"{Product(same.Left)} {(same.Contracted ? "+=" : "=")} {Product(same.Right)}",
            JoinedAxis joined => $"{Name(joined.Whole)} joins {string.Join(' ', joined.Parts.Select(Name))}",
            TakenAxis taken => $"{Name(taken.Part)} of {Name(taken.Whole)}: {string.Join(' ', taken.Positions)}",
            MixedAxes mixed => $"{Product(mixed.Axes)} mixed",
            FixedAxis f => $"{Name(f.Axis)} fixed: {f.Reason}",
            _ => "",
        };
    }
}
