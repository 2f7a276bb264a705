using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>
/// Convolutional networks against the same architectures as PyTorch modules (kuangliu/pytorch-cifar, akamaster, torchvision), run in double precision by PyTorch 1.13. Both sides
/// fill the parameters, in the order of their names, by one formula.
/// </summary>
public class PyTorchOutputTests
{
    /// <summary>Model, options, and the logits of two images.</summary>
    public static TheoryData<string, string, double[]> Outputs => new()
    {
        {
            "vgg11", "width=0.125",
            [
                0.3545726, 0.2170976, 0.2056744, -0.5041707, 0.6587421, -0.02216062, -0.2550365, -0.3233682, 0.6483512, -0.1042464,
                0.3707835, 0.2476785, 0.2448514, -0.4734525, 0.613908, -0.04372103, -0.2677987, -0.3164736, 0.63704, -0.07420535,
            ]
        },
        {
            "vgg13", "width=0.125;norm=group;groups=4;bias=false",
            [
                1.597407, 1.202852, 1.612828, -0.2256207, 3.045969, 1.677279, -0.7649885, 0.08350282, 0.3636277, 1.974219,
                1.854204, 0.8266981, 1.343358, -0.5311816, 3.050927, 1.633859, -1.266224, 0.236147, -0.03202919, 1.607063,
            ]
        },
        {
            "vgg16", "width=0.0625;norm=none",
            [
                -0.08061064, -0.04207482, -0.02353268, 0.08575637, -0.03296284, -0.04438305, -0.1459331, -0.1717341, 0.2512885, 0.08245963,
                -0.07992495, -0.04273254, -0.02318897, 0.08550576, -0.03367629, -0.04341605, -0.1446543, -0.1713637, 0.2505968, 0.0802906,
            ]
        },
        {
            "resnet18", "width=0.125",
            [
                0.07319182, -0.3927047, -0.1125788, -0.6525505, 0.4858667, 0.9272156, -0.07238742, 0.2805138, -0.1209981, -0.7867752,
                0.05395321, -0.4320882, -0.2018981, -0.7085029, 0.4191945, 0.9793044, -0.09039988, 0.2354051, -0.1452311, -0.7915937,
            ]
        },
        {
            "resnet34", "width=0.0625;norm=none",
            [
                -0.391332, 0.4337402, 1.038499, -1.00861, 0.7135587, -0.7284265, 1.923612, -0.5036603, 1.122474, -0.07146494,
                -0.5091913, 0.3820979, 1.16485, -0.967264, 0.8742368, -0.6198466, 1.978755, -0.408036, 1.322182, -0.1460961,
            ]
        },
        {
            "resnet20", "width=0.5;norm=group;groups=4",
            [
                -0.00713297, -1.838966, 1.630819, -1.784489, 2.94954, 0.06232658, 0.08193336, 0.8389649, 2.775752, 0.7269709,
                0.0418346, -1.844609, 1.390027, -1.764637, 3.067005, -0.09441253, -0.04261211, 0.8873693, 2.834773, 0.4938359,
            ]
        },
        {
            "mobilenetv2", "width=0.25;classes=10",
            [
                0.2371456, -0.1459109, -0.1056651, -0.0450533, -0.3336809, -0.3992558, 0.5316216, 0.1974885, -0.02760878, -0.020637,
                0.2503032, -0.05949954, -0.1094426, -0.04416327, -0.312075, -0.4443615, 0.5732182, 0.2191764, -0.01607431, 0.006838852,
            ]
        },
        {
            "mobilenetv2", "width=0.25;small_images=false;image=3,64,64;classes=10",
            [
                0.0979358, 0.05175767, -0.03903103, 0.09115234, -0.2214038, -0.2994662, 0.376059, 0.1940956, -0.1115524, 0.04632858,
                0.09798343, 0.07502737, -0.03071611, 0.1141474, -0.22746, -0.2887504, 0.3734322, 0.2012203, -0.1089684, 0.05944617,
            ]
        },
    };

    [Theory, MemberData(nameof(Outputs))]
    public void Logits_are_those_of_the_PyTorch_module(string model, string options, double[] logits)
    {
        Graph graph = ZooModel.Find(model).With(ZooModelTests.Options(options)).Build(2, null);
        Node[] parameters = [.. graph.Parameters.Values.OrderBy(p => p.Name, StringComparer.Ordinal)];
        for (uint k = 0; k < parameters.Length; k++) Fill(parameters[k], k);
        Executor executor = new(graph);
        Span<float> image = executor["image"].Span;
        for (int i = 0; i < image.Length; i++) image[i] = (float)Noise(i, 1000);
        executor.Run();

        double largest = logits.Max(Math.Abs);
        for (int i = 0; i < logits.Length; i++) Assert.InRange(executor["logits"].Span[i], logits[i] - (1e-5 * largest), logits[i] + (1e-5 * largest));
    }

    private static void Fill(Node parameter, uint k)
    {
        Span<float> values = parameter.Value!.Span;
        bool vector = parameter.Shape.Rank == 1, scale = parameter.Name!.EndsWith("running_var", StringComparison.Ordinal) || (vector && parameter.Name.EndsWith(".weight", StringComparison.Ordinal));
        for (int i = 0; i < values.Length; i++)
        {
            double v = Noise(i, k);
            values[i] = (float)(scale ? 1 + (0.5 * v) : vector ? 0.2 * v : v * Math.Sqrt(3.0 * parameter.Shape[0] / values.Length));
        }
    }

    /// <summary>A number in [-1, 1) that is the same in every language: a hash of both, in 32 bits.</summary>
    private static double Noise(int i, uint k)
    {
        uint h = unchecked((((uint)i + 1) * 2654435761) + (k * 2246822519));
        h ^= h >> 15;
        h *= 0x85EB_CA6B;
        h ^= h >> 13;
        h *= 0xC2B2_AE35;
        h ^= h >> 16;
        return (h / 2147483648.0) - 1;
    }
}
