using Amalgam.Graphs;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Tests.Zoo.Experiments;

public class MagnitudePruningTests
{
    [Fact]
    public void Takes_the_smallest_of_each_matrix_and_leaves_all_else() => Property.Holds(generator =>
    {
        Graph network = new();
        float[] first = generator.Floats(24), second = generator.Floats(15), bias = generator.Floats(6);
        network.Parameter("first.weight", new(new(6, 4), [.. first]));
        network.Parameter("first.bias", new(new(6), [.. bias]));
        network.Parameter("second.weight", new(new(3, 5), [.. second]));
        double sparsity = generator.Random.Next(5) / 4.0;
        MagnitudePruning.Prune(network, sparsity, name => name != "second.weight");

        float[] pruned = network.Parameters["first.weight"].Value!.Span.ToArray();
        int gone = (int)Math.Round(sparsity * 24);
        float[] kept = [.. Enumerable.Range(0, 24).Where(i => pruned[i] == first[i] && pruned[i] != 0).Select(i => Math.Abs(first[i]))];
        float[] lost = [.. Enumerable.Range(0, 24).Where(i => pruned[i] == 0).Select(i => Math.Abs(first[i]))];
        Assert.Equal(24, kept.Length + lost.Length);
        Assert.True(lost.Length >= gone);
        if (kept.Length > 0 && lost.Length > 0) Assert.True(lost.Max() <= kept.Min());
        Assert.Equal(lost.Length, Math.Max(gone, first.Count(x => x == 0)));
        Assert.Equal(bias, network.Parameters["first.bias"].Value!.Span.ToArray());
        Assert.Equal(second, network.Parameters["second.weight"].Value!.Span.ToArray());
    });
}
