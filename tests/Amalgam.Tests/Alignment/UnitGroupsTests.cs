using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Tests.Alignment;

/// <summary>What is pinned and why, what may be pinned or freed by name, and networks that have nothing to find.</summary>
public class UnitGroupsTests
{
    private readonly Graph _graph = new();

    [Fact]
    public void Inputs_and_outputs_keep_their_places_and_say_so()
    {
        UnitGroups groups = Mlp();
        Assert.Equal(["fc1.bias.0 fc1.weight.0 fc2.weight.1<", "fc2.bias.0 fc2.weight.0 fc3.weight.1<"], groups.Texts());
        Assert.Contains(new PinnedAxis("fc1.weight", 1, 3, "the network's input 'x'"), groups.Pinned);
        Assert.Contains(new PinnedAxis("fc3.bias", 0, 4, "the network's output 'y'"), groups.Pinned);
        Assert.Equal(["fc1", "fc2"], groups.Classes.Select(units => units.Name));
        Assert.Equal(["fc1", "fc2"], groups.Groups.Select(group => group.Name));
    }

    [Fact]
    public void An_operation_that_says_nothing_pins_what_it_touches()
    {
        Node x = _graph.Input("x", new(2, 3)).Linear(Weight("a", 5, 3)).Relu();
        Node y = _graph.Add(new Silent(), x).Linear(Weight("b", 6, 5)).Relu();
        _graph.Output("y", y.Linear(Weight("c", 2, 6)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        Assert.Equal(["b.0 c.1<"], groups.Texts());
        foreach ((string parameter, int axis) in ((string, int)[])[("a", 0), ("b", 1)])
            Assert.Contains(groups.Pinned, pinned => (pinned.Parameter, pinned.Axis) == (parameter, axis) && pinned.Reason.Contains("Silent does not say how its axes are tied", StringComparison.Ordinal));
    }

    [Fact]
    public void A_constant_that_differs_along_units_pins_them_and_one_that_does_not_leaves_them_free()
    {
        Node x = _graph.Input("x", new(2, 3)).Linear(Weight("a", 4, 3)) + _graph.Constant(new Tensor(new(1, 4), [1, 2, 3, 4]));
        Node y = (x.Relu().Linear(Weight("b", 5, 4)) * _graph.Constant(new Tensor(new(2, 5), [3, 3, 3, 3, 3, 7, 7, 7, 7, 7]))).Relu();
        _graph.Output("y", y.Linear(Weight("c", 2, 5)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        Assert.Equal(["b.0 c.1<"], groups.Texts());
        Assert.Contains(groups.Pinned, pinned => pinned.Parameter == "a" && pinned.Axis == 0 && pinned.Reason.Contains("differs along it", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("fc1")]
    [InlineData("fc1.weight")]
    [InlineData("fc1*")]
    public void Units_may_be_pinned_by_name(string pin)
    {
        UnitGroups groups = Mlp(new(Pins: [pin]));
        Assert.Equal(["fc2.bias.0 fc2.weight.0 fc3.weight.1<"], groups.Texts());
        string?[] reasons = [.. groups.Classes.Select(units => units.Pinned), .. groups.Pinned.Select(pinned => pinned.Reason)];
        Assert.Contains($"pinned by '{pin}'", reasons);
    }

    [Fact]
    public void A_pin_that_names_nothing_is_refused() => Assert.Contains("the pin 'fc9' names no units and no parameter", Assert.Throws<GraphException>(() => Mlp(new(Pins: ["fc9"]))).Message, StringComparison.Ordinal);

    [Fact]
    public void Outputs_may_be_freed()
    {
        UnitGroups groups = UnitGroups.Of(Mlp().Graph, new(FreeOutputs: true));
        Assert.Contains("fc3.bias.0 fc3.weight.0", groups.Texts());
    }

    [Fact]
    public void Networks_without_units_have_none()
    {
        Node x = _graph.Input("x", new(2, 0, 3)), one = _graph.Parameter("one", Tensor.Scalar(2)), unused = Weight("unused", 4, 5);
        _graph.Output("scaled", x * one);
        _graph.Output("none", x.MatMul(Weight("none", 3, 0)));
        _graph.Output("number", x.Sum() * one);
        UnitGroups groups = UnitLaws.Preserved(_graph);
        Assert.DoesNotContain(groups.Classes, units => units.Parameters.Any(p => p.Node != unused));

        Graph empty = new();
        empty.Output("y", empty.Input("x", new(2, 3)).Relu());
        Assert.Empty(UnitGroups.Of(empty).Classes);
        Assert.Equal(0, SelfCheck.Run(UnitGroups.Of(empty)).Error);
    }

    [Fact]
    public void A_parameter_that_is_used_in_two_ways_is_tied_by_both()
    {
        Node w = Weight("w", 5, 5), x = _graph.Input("x", new(2, 3)).Linear(Weight("in", 5, 3)).Relu();
        _graph.Output("y", x.Linear(w).Relu().Linear(w).Relu().Linear(Weight("out", 2, 5)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        Assert.Equal(["in.0 out.1< w.0 w.1<"], groups.Texts());
        UnitLaws.NoPlaceAlone(groups);
    }

    [Fact]
    public void Taps_are_what_the_last_layer_reads_before_a_mean_over_positions()
    {
        Node x = _graph.Input("x", new(2, 3, 6, 6)).Conv(Weight("a", 4, 3, 3, 3), pad: 1).Relu();
        Node y = x.Conv(Weight("b", 5, 4, 3, 3), pad: 1).Relu();
        _graph.Output("y", y.GlobalAveragePool().Flatten().Linear(Weight("c", 2, 5)));
        UnitGroups groups = UnitGroups.Of(_graph);
        Assert.Equal((x, 1), groups.With("a.0").LastTaps.Select(tap => (tap.Node, tap.Axis)).Single());
        Assert.Equal((y, 1), groups.With("b.0").LastTaps.Select(tap => (tap.Node, tap.Axis)).Single());
    }

    /// <summary>An operation that says what is not true is found out, pinned and named, and the rest stays free.</summary>
    [Fact]
    public void The_self_check_finds_units_that_do_not_keep_their_promise()
    {
        Node x = _graph.Input("x", new(2, 3)).Linear(Weight("a", 5, 3)).Relu();
        Node y = _graph.Add(new Liar(), x).Linear(Weight("b", 6, 5)).Relu();
        Node z = _graph.Add(new Liar(), y.Linear(Weight("c", 4, 6)).Reshape(2, 2, 2).Softmax().Reshape(2, 4));
        _graph.Output("y", z.Linear(Weight("d", 2, 4)));
        UnitGroups groups = UnitGroups.Of(_graph.Randomise());
        SelfCheckResult check = SelfCheck.Run(groups);
        Assert.InRange(check.Error, 0, 1e-5);
        Assert.Contains("a", check.Culprits);
        Assert.DoesNotContain("b", check.Culprits);
        Assert.Equal(["b.0 c.1<"], check.Groups.Texts());
        Assert.All(check.Groups.Classes.Where(units => units.Name != "b"), units => Assert.Equal($"pinned by '{units.Name}'", units.Pinned));
        Assert.Empty(SelfCheck.Run(Mlp()).Culprits);
    }

    private static UnitGroups Mlp(UnitOptions? options = null)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 3));
        int[] widths = [3, 5, 6, 4];
        for (int i = 1; i < 4; i++)
        {
            x = x.Linear(graph.Parameter($"fc{i}.weight", new(new(widths[i], widths[i - 1]))), graph.Parameter($"fc{i}.bias", new(new(widths[i]))));
            if (i < 3) x = x.Relu();
        }

        graph.Output("y", x);
        return UnitLaws.Preserved(graph.Randomise(), options: options);
    }

    private Node Weight(string name, params ReadOnlySpan<long> sizes) => _graph.Parameter(name, new(new(sizes)));

    /// <summary>An operation from elsewhere that has no links.</summary>
    private sealed record Silent : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
        {
            for (int i = 0; i < y.Count; i++) y.Span[i] = x[0].Span[i] * (1 + i % y.Shape.Size(^1));
        }
    }

    /// <summary>The same operation, which says that positions do not matter to it.</summary>
    private sealed record Liar : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => new Silent().Run(x, y);

        public override void Link(Node y, AxisLinks links) => links.Elementwise(y);
    }
}
