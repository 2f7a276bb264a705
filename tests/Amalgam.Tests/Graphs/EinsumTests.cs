using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

public class EinsumTests
{
    [Theory]
    [InlineData("ij,jk->ik", "2,3;3,4")]
    [InlineData("ij,kj->ik", "2,3;4,3")]
    [InlineData("ji,jk->ki", "3,2;3,4")]
    [InlineData("bhid,bhjd->bhij", "2,3,4,5;2,3,6,5")]
    [InlineData("bhij,bhjd->bihd", "2,3,4,6;2,3,6,5")]
    [InlineData("bij,jklm->biklm", "2,3,4;4,2,3,2")]
    [InlineData("biklm,jklm->bij", "2,3,2,2,3;4,2,2,3")]
    [InlineData("i,j->ij", "3;4")]
    [InlineData("bi,bi->b", "3,4;3,4")]
    [InlineData("bi,bi->bi", "3,4;3,4")]
    [InlineData("bi,i", "3,4;4")]
    [InlineData("ij,jk,kl->il", "2,3;3,4;4,2")]
    [InlineData("ij,ij,j->i", "2,3;2,3;3")]
    [InlineData("ijk->kj", "2,3,4")]
    [InlineData("ij->", "2,3")]
    [InlineData("ba", "2,3")]
    [InlineData("iij->j", "3,3,2")]
    [InlineData("...ii->...i", "2,3,4,4")]
    [InlineData("...ij,...jk->...ik", "2,5,3,4;4,2")]
    [InlineData("...ij,...jk", "2,1,3,4;5,4,2")]
    [InlineData("bi,bj->", "2,3;2,4")]
    public void Is_the_sum_over_all_letters(string equation, string shapes) => Property.Holds(generator =>
    {
        Graph graph = new();
        Node[] operands = [.. shapes.Split(';').Select(shape => graph.Weights(generator, [.. shape.Split(',').Select(long.Parse)]))];
        Node y = Layout.Einsum(equation, operands);
        Grid expected = Naive(equation, [.. operands.Select(node => Grid.Of(node.Value!))]);
        Assert.Equal(expected.Shape, y.Shape);
        Oracles.Close(expected.Values, Oracles.Value(y));
        Oracles.CheckGradients(y, generator);
    }, runs: 3);

    [Theory]
    [InlineData("ij,jk->ik", "is for 2 operands, found 1")]
    [InlineData("ij->ik", "must have letters of the operands")]
    [InlineData("ij->ii", "each once")]
    [InlineData("ijk->i", "does not fit an operand [2,3]")]
    [InlineData("i1->i", "by letters")]
    [InlineData("ii->i", "stands for 2 and for 3 positions")]
    public void Refuses_what_is_no_equation_of_its_operands(string equation, string message)
    {
        Node x = new Graph().Input("x", new(2, 3));
        Assert.Contains(message, Assert.Throws<GraphException>(() => Layout.Einsum(equation, x)).Message);
    }

    [Fact]
    public void A_batch_of_another_size_goes_through()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 3, 4)), w = graph.Weights(new(1), 4, 2, 5);
        graph.Output("y", Layout.Einsum("bij,jkl->bikl", x, w));
        Assert.Equal(new Shape(9, 3, 2, 5), Rewrite.Resize(graph, 9).Graph.Outputs["y"].Shape);
    }

    /// <summary>One loop over the positions of all letters.</summary>
    private static Grid Naive(string equation, Grid[] operands)
    {
        string[] sides = equation.Split("->"), inputs = sides[0].Split(',');
        int dots = inputs.Zip(operands, (axes, x) => axes.Contains("...") ? x.Rank - axes.Length + 3 : 0).Max();
        for (int i = 0; i < inputs.Length; i++)
        {
            int own = operands[i].Rank - inputs[i].Length + 3;
            inputs[i] = inputs[i].Replace("...", "UVWXYZ"[(6 - own)..]);
        }

        string all = string.Concat(string.Concat(inputs).Distinct());
        string result = sides.Length == 2 ? sides[1].Replace("...", "UVWXYZ"[(6 - dots)..]) : string.Concat(all.Where(axis => axis >= 'U' && axis <= 'Z' || string.Concat(inputs).Count(c => c == axis) == 1).Order());
        long[] sizes = [.. all.Select(axis => inputs.Zip(operands).Where(p => p.First.Contains(axis)).Max(p => p.Second.Shape[p.First.IndexOf(axis)]))];
        Grid sum = Grid.Of(new([.. result.Select(axis => sizes[all.IndexOf(axis)])]), _ => 0);
        Grid.Of(new(sizes), at =>
        {
            double product = 1;
            for (int i = 0; i < inputs.Length; i++) product *= operands[i].Stretched([.. inputs[i].Select(axis => at[all.IndexOf(axis)])]);
            return sum[[.. result.Select(axis => at[all.IndexOf(axis)])]] += product;
        });
        return sum;
    }
}
