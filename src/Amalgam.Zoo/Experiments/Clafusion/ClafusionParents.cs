using Amalgam.Graphs;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>
/// The networks that are fused. Two networks of a pair never have the same seed: parameters of one name and shape would begin with the same values, and units with the same place would
/// belong together from the start.
/// </summary>
internal sealed class ClafusionParents(ClafusionOptions options)
{
    /// <summary>What the second network's seed is greater by.</summary>
    private const int Other = 100;

    private readonly ParentRuns _runs = new(options);

    /// <summary>MNIST as OTFusion's networks take it.</summary>
    public static RunDescription OfMnist => RunDescription.Parse(Mnist("400, 200, 100", 0), "mnist");

    /// <summary>CIFAR-10 and the residual networks' training: what fine-tuning goes on with.</summary>
    public static RunDescription OfResNets => RunDescription.Parse(Cifar("resnet34", "width: 0.125, norm: none", "1e-4", "0.1", 0), "resnet");

    /// <summary>CIFAR-10 and the VGG networks' training.</summary>
    public static RunDescription OfVggs => RunDescription.Parse(Cifar("vgg13", "norm: none", "5e-4", "0.05", 0), "vgg");

    /// <summary>The parts of MNIST for a skill: all images of 4 and a tenth of the others, or the rest.</summary>
    public static RunDescription OfSkill(int seed, bool rest) => RunDescription.Parse(Skill("400", seed, seed, rest), "skill");

    /// <summary>The deeper of the paper's MLPs, A of tables 9 and 10.</summary>
    public Graph DeepMlp(int seed) => _runs.Get($"mnist-deep-{seed}", Mnist("400, 200, 100, 50, 25", seed));

    /// <summary>The shallower one, B.</summary>
    public Graph ShallowMlp(int seed) => _runs.Get($"mnist-shallow-{seed}", Mnist("400, 200, 100", Other + seed));

    /// <summary>The shallower one with the deeper one's seed: its first three layers begin as the deeper one's, and it sees the same batches.</summary>
    public Graph TwinMlp(int seed) => _runs.Get($"mnist-twin-{seed}", Mnist("400, 200, 100", seed));

    /// <summary>The specialist of table 13, who knows the digit 4 and has seen few others.</summary>
    public Graph Specialist(int seed) => _runs.Get($"skill-special-{seed}", Skill("400, 200, 100", seed, seed, false));

    /// <summary>The generalist of table 13, the deeper one, who has never seen a 4.</summary>
    public Graph Generalist(int seed) => _runs.Get($"skill-rest-{seed}", Skill("400, 200, 100, 50", seed, Other + seed, true));

    /// <summary>ResNet-34 at an eighth of the width, without normalisation.</summary>
    public Graph ResNet34(int seed) => _runs.Get($"resnet34-{seed}", Cifar("resnet34", "width: 0.125, norm: none", "1e-4", "0.1", seed));

    /// <summary>ResNet-18 at an eighth of the width, without normalisation.</summary>
    public Graph ResNet18(int seed) => _runs.Get($"resnet18-{seed}", Cifar("resnet18", "width: 0.125, norm: none", "1e-4", "0.1", Other + seed));

    /// <summary>The teacher: VGG-13 at a quarter of the width between its ends, the double of an eighth.</summary>
    public Graph Teacher(int seed) => _runs.Get($"vgg13-{seed}", Cifar("vgg13", "width: 0.25, fixed_ends: true, norm: none, bias: false", "5e-4", "0.05", seed));

    /// <summary>The student: VGG-11 at a sixteenth of the width between its ends, the half of an eighth.</summary>
    public Graph Student(int seed) => _runs.Get($"vgg11-{seed}", Cifar("vgg11", "width: 0.0625, fixed_ends: true, norm: none, bias: false", "5e-4", "0.05", Other + seed));

    private static string Mnist(string hidden, int seed) => $$"""
        data: {name: mnist, mean: [0.1307], std: [0.3081]}
        model: {name: mlp, hidden: [{{hidden}}], bias: false}
        optimizer: {name: sgd, momentum: 0.5}
        lr: 0.01
        epochs: 10
        batch: 64
        seed: {{seed}}
        """;

    private static string Skill(string hidden, int part, int seed, bool rest) => $$"""
        data: {name: mnist, part: {classes: [4], share: 0.1, seed: {{part}}, rest: {{(rest ? "true" : "false")}}}, mean: [0.1307], std: [0.3081]}
        model: {name: mlp, hidden: [{{hidden}}], bias: false}
        optimizer: {name: sgd, momentum: 0.5}
        lr: 0.01
        epochs: 10
        batch: 64
        seed: {{seed}}
        """;

    /// <summary>The paper's optimisers; without normalisation gradients are clipped, so that the paper's rate holds for every seed.</summary>
    private static string Cifar(string model, string options, string decay, string rate, int seed) => $$"""
        data: {name: cifar10, validation: 2000, limit: 10000, augment: {flip: true}, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201]}
        model: {name: {{model}}, {{options}}}
        optimizer: {name: sgd, momentum: 0.9, weight_decay: {{decay}}, clip_norm: 1}
        schedule: {name: cosine, warmup: 1}
        lr: {{rate}}
        epochs: 12
        batch: 50
        seed: {{seed}}
        """;
}
