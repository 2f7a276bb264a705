using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Which learning rate fine-tuning begins with: the networks of one seed, fused and alone, fine-tuned with each and measured on the held-out training samples. No test sample is looked at.</summary>
internal sealed class RateChoice(Bench bench)
{
    public const string Table = "rates";

    private const int Seed = 40;

    private static readonly ImmutableArray<double> Rates = [0.1, 0.03];

    /// <summary>Makes the rows.</summary>
    public void Run()
    {
        ResidualNetworks residual = new(bench);
        Run("ResNet", residual.Setting, new(ClafusionParents.OfResNets, bench.Options), bench.Parents.ResNet34(Seed), () => residual.Fusion.Run(bench.Parents.ResNet34(Seed), bench.Parents.ResNet18(Seed)).Network);
        TeacherAndStudent vgg = new(bench);
        Run("VGG", vgg.Setting, new(ClafusionParents.OfVggs, bench.Options), bench.Parents.Student(Seed), () => vgg.Fusion.Run(bench.Parents.Teacher(Seed), bench.Parents.Student(Seed)).Network);
    }

    private void Run(string name, ImageSetting setting, FineTuning tuning, Graph alone, Func<Graph> fused)
    {
        foreach (var (what, network) in new (string, Func<Graph>)[] { ("alone", () => alone), ("fused", fused) })
        {
            foreach (double rate in Rates)
            {
                bench.Row($"{Table}, {name}", ResidualNetworks.Pair(Seed), FormattableString.Invariant($"{what}, rate {rate}"), () =>
                {
                    Tuned tuned = tuning.Run(network(), rate, Seed);
                    return new([new("held out", setting.Choice(tuned.Network))], Seconds: tuned.Seconds);
                });
            }
        }
    }
}
