using System.Numerics.Tensors;
using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Tests.Alignment;

/// <summary>What the self-check does where discovery is wrong: with operations that say of their axes what is not true.</summary>
public class SelfCheckTests
{
    /// <summary>Adds to each unit its position, and says that positions may change places.</summary>
    private sealed record Numbering : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
        {
            for (int i = 0; i < y.Count; i++) y.Span[i] = x[0].Span[i] + i % y.Shape.Size(^1);
        }

        public override void Link(Node y, AxisLinks links) => links.Elementwise(y);
    }

    /// <summary>Its first input, and 1 more where neither of the two others is in ascending order; it says nothing of their orders.</summary>
    private sealed record Unordered : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => TensorPrimitives.Add(x[0].Span, IsAscending(x[1].Span) || IsAscending(x[2].Span) ? 0 : 1, y.Span);

        public override void Link(Node y, AxisLinks links)
        {
            for (int axis = 0; axis < y.Shape.Rank; axis++) links.Same(AxisLinks.Of(y, axis), AxisLinks.Of(y.Inputs[0], axis));
        }

        private static bool IsAscending(ReadOnlySpan<float> x)
        {
            for (int i = 1; i < x.Length; i++)
            {
                if (x[i] < x[i - 1]) return false;
            }

            return true;
        }
    }

    /// <summary>The square root; not a number for some.</summary>
    private sealed record Root : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
        {
            for (int i = 0; i < y.Count; i++) y.Span[i] = MathF.Sqrt(x[0].Span[i]);
        }

        public override void Link(Node y, AxisLinks links) => links.Elementwise(y);
    }

    /// <summary>Another number at each run.</summary>
    private sealed record Restless : Op
    {
        private static int _runs;

        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => TensorPrimitives.Add(x[0].Span, Interlocked.Increment(ref _runs), y.Span);

        public override void Link(Node y, AxisLinks links) => links.Elementwise(y);
    }

    private readonly Graph _graph = new();

    [Fact]
    public void Only_the_units_that_change_outputs_are_pinned()
    {
        Node h = Layer(Layer(_graph.Add(new Numbering(), Layer(Input, "first", 7)), "second", 9), "third", 8);
        UnitGroups groups = Groups(Layer(h, "out", 4));
        Assert.Equal(["first", "second", "third"], groups.Classes.Select(units => units.Name));

        SelfCheckResult check = SelfCheck.Run(groups);

        Assert.Equal(["first"], check.Culprits);
        Assert.Equal(["second", "third"], check.Groups.Classes.Where(units => units.Pinned is null).Select(units => units.Name));
        Assert.Equal("pinned by 'first'", check.Groups.Classes.Single(units => units.Name == "first").Pinned);
        Assert.InRange(check.Error, 0, 1e-5);
        Assert.Equal(check.Groups.Classes.Select(units => (units.Name, units.Pinned)), Siblings.Of([_graph]).Groups.Classes.Select(units => (units.Name, units.Pinned)));
        Assert.All(Siblings.Of([_graph], check: false).Groups.Classes, units => Assert.Null(units.Pinned));
    }

    [Fact]
    public void Units_that_change_outputs_only_together_are_all_pinned()
    {
        Node h = Layer(Layer(Input, "first", 7), "second", 9);
        Node made = _graph.Add(new Unordered(), Layer(h, "out", 4), _graph.Parameters["first.bias"], _graph.Parameters["second.bias"]);

        SelfCheckResult check = SelfCheck.Run(Groups(made));

        Assert.Equal(["first", "second"], check.Culprits);
        Assert.DoesNotContain(check.Groups.Classes, units => units.Pinned is null);
        Assert.Equal(0, check.Error);
    }

    /// <summary>Wrong units matter where they reach a small output, however large another is.</summary>
    [Fact]
    public void Each_output_has_its_own_scale()
    {
        Node h = _graph.Add(new Numbering(), Layer(Input, "first", 7));
        _graph.Output("large", Layer(Input, "other", 4) * 1e9f);
        Assert.Equal(["first"], SelfCheck.Run(Groups(Layer(h, "out", 4) * 1e-3f)).Culprits);
    }

    [Fact]
    public void Outputs_that_are_not_numbers_are_refused()
    {
        UnitGroups groups = Groups(_graph.Add(new Root(), Layer(Layer(Input, "first", 7), "out", 4)));
        Assert.Contains("not finite", Assert.Throws<GraphException>(() => SelfCheck.Run(groups)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_that_change_by_themselves_are_refused()
    {
        UnitGroups groups = Groups(_graph.Add(new Restless(), Layer(Layer(Input, "first", 7), "out", 4)));
        Assert.Contains("from run to run", Assert.Throws<GraphException>(() => SelfCheck.Run(groups)).Message, StringComparison.Ordinal);
    }

    private Node Input => _graph.Inputs.GetValueOrDefault("x") ?? _graph.Input("x", new(6, 5));

    private Node Layer(Node x, string name, int units)
    {
        Node y = x.Linear(_graph.Parameter($"{name}.weight", new(new(units, x.Shape[^1]))), _graph.Parameter($"{name}.bias", new(new(units))));
        return name is "out" or "other" ? y : y.Relu();
    }

    private UnitGroups Groups(Node y)
    {
        _graph.Output("y", y);
        _graph.Randomise();
        foreach (Node bias in _graph.Parameters.Values.Where(p => p.Shape.Rank == 1)) bias.Value!.Span.Sort();
        return UnitGroups.Of(_graph);
    }
}
