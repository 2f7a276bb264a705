using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Zoo.Demo;

public class NetworkTests
{
    [Fact]
    public void The_gradient_agrees_with_central_differences()
    {
        const double Step = 1e-5;
        Samples samples = new Problem(3).Past.Training;
        Network network = Network.Random(3), gradient = network.Copy(), unused = network.Copy();
        network.Loss(samples, gradient);

        for (int tensor = 0; tensor < network.Tensors.Length; tensor++)
        {
            for (int i = 0; i < network.Tensors[tensor].Length; i += 7)
            {
                double w = network.Tensors[tensor][i];
                network.Tensors[tensor][i] = w + Step;
                double above = network.Loss(samples, unused);
                network.Tensors[tensor][i] = w - Step;
                double below = network.Loss(samples, unused);
                network.Tensors[tensor][i] = w;
                Assert.Equal((above - below) / (2 * Step), gradient.Tensors[tensor][i], 1e-8);
            }
        }
    }

    [Fact]
    public void Training_lowers_the_loss_and_leaves_its_start_alone()
    {
        Samples samples = new Problem(4).Past.Training;
        Network start = Network.Random(4), gradient = start.Copy();
        double before = start.Loss(samples, gradient);

        Network trained = Amalgam.Zoo.Demo.Training.Run(start, samples, steps: 20);

        Assert.Equal(before, start.Loss(samples, gradient));
        Assert.True(trained.Loss(samples, gradient) < before);
    }

    [Fact]
    public void A_saved_network_comes_back_in_single_precision()
    {
        using TemporaryFolder folder = new();
        Network network = Network.Random(5);
        network.Save(folder["n"]);

        Network read = Network.Open(folder["n"]);

        for (int i = 0; i < network.Tensors.Length; i++) Assert.Equal(network.Tensors[i].Select(v => (double)(float)v), read.Tensors[i]);
    }

    [Fact]
    public void Refuses_a_checkpoint_of_another_network()
    {
        using TemporaryFolder folder = new();
        TestModel.Write(folder["other"], DType.F32, ("hidden.weight", new(2, 2), [1, 2, 3, 4]));
        Assert.Contains("no tensor 'hidden.weight' of shape [24,16]", Assert.Throws<InvalidDataException>(() => Network.Open(folder["other"])).Message);
    }
}
