using Amalgam.Graphs;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class AdapterNetworkTests
{
    /// <summary>With the masks of one round, through the executor in two parts. The vectors of spectral norms have converged, where the norm does not depend on them.</summary>
    [Theory]
    [InlineData("residual", 1)]
    [InlineData("published", 1)]
    [InlineData("residual evolving", 1)]
    [InlineData("published rows", 1)]
    [InlineData("residual", 2)]
    [InlineData("published evolving", 2)]
    public void Gradients_in_training_equal_differences_with_the_same_masks(string variant, int sources)
    {
        const int Round = 7;
        Generator gen = new(6);
        AdapterNetwork network = new(LowRankAdapterTests.Variant(variant) with { Heads = 3, AttentionDropout = 0.3, Dropout = 0.4 }, new(new(5, 4), gen.Floats(20)), [.. new Shape[] { new(6, 3), new(3, 5) }.Take(sources)], 5, dropsOut: true);
        foreach (Node node in network.Parameters)
        {
            foreach (ref float value in node.Value!.Span) value += 0.4f * (float)(gen.Random.NextDouble() - 0.5);
        }

        gen.Floats(20).CopyTo(network.Target.Span);
        foreach (Tensor source in network.Sources) gen.Floats(source.Count).CopyTo(source.Span);
        for (int i = 0; i < 500; i++)
        {
            network.Generate(0);
            network.Differentiate();
            network.Update();
        }

        network.Generate(Round);
        float[] weights = gen.Floats(20), generated = network.Generated.Span.ToArray();
        weights.CopyTo(network.Change.Span);
        network.Differentiate();
        float[][] gradients = [.. network.Gradients.Select(g => g.Span.ToArray())];
        Assert.Contains(gradients, gradient => gradient.Any(g => g != 0));
        for (int i = 0; i < network.Parameters.Length; i++)
        {
            Span<float> values = network.Parameters[i].Value!.Span;
            float[] kept = values.ToArray(), along = gen.Floats(kept.Length);
            double found = gradients[i].Zip(along, (g, a) => (double)g * a).Sum(), size = gradients[i].Zip(along, (g, a) => Math.Abs((double)g * a)).Sum();
            double expected = (8 * (At(4e-3f) - At(-4e-3f)) - (At(8e-3f) - At(-8e-3f))) / 4.8e-2;
            Assert.True(Math.Abs(found - expected) <= 1e-2 * size + 2e-3, $"{network.Parameters[i]}: {found}, expected {expected}");

            double At(float distance)
            {
                Span<float> at = network.Parameters[i].Value!.Span;
                for (int k = 0; k < at.Length; k++) at[k] = kept[k] + distance * along[k];
                network.Generate(Round);
                kept.CopyTo(at);
                return network.Generated.Span.ToArray().Zip(weights, (g, w) => (double)g * w).Sum();
            }
        }

        network.Generate(Round);
        Assert.Equal(generated, network.Generated.Span.ToArray());
        network.Generate(Round + 1);
        Assert.NotEqual(generated, network.Generated.Span.ToArray());
    }
}
