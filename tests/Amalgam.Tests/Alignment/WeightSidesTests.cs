using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Alignment;

/// <summary>Which axes of parameters make units and which are summed over, where parameters reach their layers through other operations. The oracle: zipped copies of a network are that network.</summary>
public class WeightSidesTests
{
    private readonly Graph _graph = new();

    [Fact]
    public void Kernels_of_a_transposed_convolution_by_channel_make_units()
    {
        Node x = _graph.Input("x", new(2, 3, 4, 4)).Conv(Weight("a", 6, 3, 3, 3), pad: 1).Relu();
        Node y = _graph.Add(new ConvTranspose([2, 2], Groups: 6), x, Weight("b", 6, 1, 2, 2), Weight("c", 6)).Relu();
        Zipped(y.Sum(false, 2, 3).Linear(Weight("head", 5, 6)), "a.0 b.0 c.0 head.1<");
    }

    /// <summary>LoRA: W + B A.</summary>
    [Fact]
    public void The_rank_of_an_adapter_is_made_by_one_matrix_and_read_by_the_other()
    {
        Node x = _graph.Input("x", new(4, 8)).Linear(Weight("in", 6, 8)).Relu();
        Node y = x.Linear(Weight("w", 7, 6) + Weight("b", 7, 3).MatMul(Weight("a", 3, 6)) * 0.5f).Relu();
        Zipped(y.Linear(Weight("head", 5, 7)), "a.0 b.1<", "in.0 w.1< a.1<", "b.0 head.1< w.0");
    }

    [Fact]
    public void A_product_that_is_written_the_other_way_round_has_its_reader_on_the_right()
    {
        Node x = _graph.Input("x", new(4, 8)).Linear(Weight("in", 6, 8)).Relu();
        Node y = x.MatMul(Weight("a", 6, 3).MatMul(Weight("b", 3, 7))).Relu();
        Zipped(y.Linear(Weight("head", 5, 7)), "a.1 b.0<");
    }

    [Fact]
    public void A_matrix_that_is_reshaped_to_filters_has_a_side_for_each_digit()
    {
        Node x = _graph.Input("x", new(2, 3, 4, 4)).Conv(Weight("a", 6, 3, 3, 3), pad: 1).Relu();
        Node y = x.Conv(Weight("p", 5, 54).Reshape(5, 6, 3, 3), pad: 1).Relu();
        Zipped(y.Sum(false, 2, 3).Linear(Weight("head", 4, 5)), "a.0 p.1<", "head.1< p.0");
    }

    [Fact]
    public void A_vector_that_is_reshaped_to_a_matrix_has_both_sides_in_one_axis()
    {
        Node x = _graph.Input("x", new(4, 8)).Linear(Weight("in", 6, 8)).Relu();
        Zipped(x.Linear(Weight("p", 30).Reshape(5, 6)).Relu().Linear(Weight("head", 4, 5)), "in.0 p.0<", "head.1< p.0");
    }

    /// <summary>A mask that is learned scales what is summed over.</summary>
    [Fact]
    public void Of_two_factors_one_is_summed_over()
    {
        Node x = _graph.Input("x", new(4, 8)).Linear(Weight("in", 6, 8)).Relu();
        Zipped(x.Linear(Weight("w", 5, 6) * Weight("mask", 5, 6)), "in.0 mask.1 w.1<");
    }

    private void Zipped(Node y, params string[] expected)
    {
        _graph.Output("y", y);
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        foreach (string units in expected)
        {
            string places = string.Join(' ', units.Split(' ').Order(StringComparer.Ordinal));
            Assert.Contains(places, groups.Texts());
            UnitClass found = groups.Classes.Single(of => of.Text() == places);
            Assert.False(found.IsTied);
            UnitLaws.ZipOfCopiesIsTheNetwork(groups, units.Split(' ')[0]);
        }
    }

    private Node Weight(string name, params ReadOnlySpan<long> sizes) => _graph.Parameter(name, new(new(sizes)));
}
