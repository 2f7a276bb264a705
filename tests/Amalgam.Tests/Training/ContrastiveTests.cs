using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Tests.Training;

public class ContrastiveTests
{
    [Fact]
    public void The_loss_is_that_of_a_naive_computation() => Property.Holds(generator =>
    {
        int samples = 1 + generator.Random.Next(9), size = 1 + generator.Random.Next(6);
        float[] pairs = generator.Floats(samples * 2 * size);
        int[] pictures = [.. Enumerable.Range(0, samples).Select(_ => generator.Random.Next(samples))];
        Assert.Equal(Naive([.. pairs.Select(x => (double)x)], pictures), Run(pairs, pictures).Loss, 1e-4);
    });

    [Fact]
    public void With_a_thing_for_each_sample_it_is_the_mean_of_two_cross_entropies_with_the_samples_numbers()
    {
        // CLIP's figure 3: labels are 0 to n - 1 along both axes. Two samples whose products are 2, 0 / 1, 3.
        float[] pairs = [1, 0, 2, 0, 0.5f, 1.5f, 0, 2];
        double Softplus(double x) => Math.Log(1 + Math.Exp(x));
        double rows = (Softplus(0 - 2) + Softplus(1 - 3)) / 2, columns = (Softplus(1 - 2) + Softplus(0 - 3)) / 2;
        Assert.Equal((rows + columns) / 2, Run(pairs, [7, 3]).Loss, 1e-6);
    }

    [Fact]
    public void Gradients_are_central_differences_of_the_naive_loss() => Property.Holds(generator =>
    {
        int samples = 1 + generator.Random.Next(6), size = 1 + generator.Random.Next(4);
        float[] pairs = generator.Floats(samples * 2 * size);
        int[] pictures = [.. Enumerable.Range(0, samples).Select(_ => generator.Random.Next(samples))];
        float[] gradient = Run(pairs, pictures).Gradient;
        double[] at = [.. pairs.Select(x => (double)x)];
        for (int i = 0; i < at.Length; i++)
        {
            const double Width = 1e-5;
            double middle = at[i];
            at[i] = middle + Width;
            double above = Naive(at, pictures);
            at[i] = middle - Width;
            double below = Naive(at, pictures);
            at[i] = middle;
            Assert.Equal((above - below) / (2 * Width), gradient[i], 1e-4);
        }
    }, 40);

    [Fact]
    public void What_all_samples_share_gives_every_partner_the_same_and_no_gradient()
    {
        var (loss, gradient) = Run([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [5, 5, 5]);
        Assert.Equal(Math.Log(3), loss, 1e-6);
        Assert.All(gradient, g => Assert.Equal(0, g, 1e-6));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void Refuses_a_result_that_has_no_two_embeddings(int width)
    {
        Graph graph = new();
        Node odd = graph.Input("x", new(4, width)), flat = graph.Input("y", new(8));
        Assert.Contains("two embeddings of a sample side by side, [samples, 2 d]", Assert.Throws<GraphException>(() => new Contrastive().Add(odd)).Message);
        Assert.Contains("found", Assert.Throws<GraphException>(() => new Contrastive().Add(flat)).Message);
    }

    private static (double Loss, float[] Gradient) Run(float[] pairs, int[] pictures)
    {
        Graph graph = new();
        Node x = graph.Parameter("x", new(new(pictures.Length, pairs.Length / pictures.Length), pairs.ToArray()));
        LossNodes nodes = new Contrastive().Add(x);
        Node dx = Gradients.Of(nodes.Value, [x])[0];
        Executor executor = new(graph, [nodes.Value, dx]);
        for (int i = 0; i < pictures.Length; i++) executor[Contrastive.UsualTarget].Span[i] = pictures[i];
        executor.Run();
        return (executor[nodes.Value].Span[0], executor[dx].Span.ToArray());
    }

    /// <summary>For each embedding of one side the mean over its partners of -log of their share among all of the other side; the mean over all embeddings of both sides.</summary>
    private static double Naive(double[] pairs, int[] pictures)
    {
        int samples = pictures.Length, size = pairs.Length / samples / 2;
        double Score(int image, int text) => Enumerable.Range(0, size).Sum(k => pairs[image * 2 * size + k] * pairs[(text * 2 + 1) * size + k]);
        double Side(Func<int, int, double> score) => Enumerable.Range(0, samples).Average(i =>
        {
            double sum = Enumerable.Range(0, samples).Sum(j => Math.Exp(score(i, j)));
            return Enumerable.Range(0, samples).Where(j => pictures[j] == pictures[i]).Average(j => -Math.Log(Math.Exp(score(i, j)) / sum));
        });
        return (Side(Score) + Side((i, j) => Score(j, i))) / 2;
    }
}
