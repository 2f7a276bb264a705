namespace Amalgam.Merging;

/// <summary>
/// RAM: a change that one model alone made is added whole, one that several made as the mean over those (Reinforced Agent Merging); RAM+ scales a model's own
/// changes up by how much of its work is shared.
/// </summary>
/// <param name="Epsilon">Changes up to this size count as none.</param>
/// <param name="R">Strength of the scaling of a model's own changes; 0 is plain RAM.</param>
/// <param name="Alpha">Largest ratio of shared to own changes that counts.</param>
public sealed record Ram(double Epsilon = 1e-5, double R = 0, double Alpha = 0) : MergeMethod
{
    private static readonly MethodParameter EpsilonParameter =
        new("epsilon", ParameterKind.Number, "Changes up to this size count as none") { Default = 1e-5, Low = (0, true) };

    private static readonly MethodParameter RParameter = new("r", ParameterKind.Number, "Strength of the scaling of a model's own changes") { Default = 0.1 };

    private static readonly MethodParameter AlphaParameter =
        new("alpha", ParameterKind.Number, "Largest ratio of shared to own changes that counts") { Default = 0.2, Low = (0, true) };

    internal static readonly MethodEntry Entry = new(
        "ram", "Adds a change that one model made whole, and changes that several made as their mean",
        "Fine-tunes that each changed a part of the base",
        "Reinforced Agent Merging; mergekit", BaseRole.Origin, 1, int.MaxValue, [EpsilonParameter], a => new Ram(a.Number(EpsilonParameter)));

    internal static readonly MethodEntry TaskLocalEntry = new(
        "ramplus_tl", "RAM that scales up what a model alone changed",
        "As ram, when averaging the shared changes weakens the models",
        "Reinforced Agent Merging; mergekit", BaseRole.Origin, 1, int.MaxValue, [RParameter, AlphaParameter, EpsilonParameter],
        a => new Ram(a.Number(EpsilonParameter), a.Number(RParameter), a.Number(AlphaParameter)));

    public double Epsilon { get; } = EpsilonParameter.Check(Epsilon, "ram");

    public double Alpha { get; } = AlphaParameter.Check(Alpha, "ramplus_tl");

    public override void Merge(TensorMerge t)
    {
        int models = t.Models;
        float[] scale = R == 0 ? [.. Enumerable.Repeat(1f, models)] : Scales(t);
        float epsilon = (float)Epsilon;
        t.Write((x, y) =>
        {
            TaskVectors.Subtract(x, models);
            for (int at = 0; at < y.Length; at++)
            {
                int active = 0, last = 0;
                float sum = 0;
                for (int i = 0; i < models; i++)
                {
                    float d = x[i][at];
                    if (!(MathF.Abs(d) > epsilon)) continue;
                    (active, last, sum) = (active + 1, i, sum + d);
                }

                y[at] = x.Base[at] + (active > 1 ? sum / active : sum * scale[last]);
            }
        });
    }

    private double Ratio(long shared, long own) => shared == 0 ? 0 : Math.Clamp(shared / Math.Max(own, Epsilon), 0, Alpha);

    /// <summary>1 + r clamp(shared / own, 0, alpha), from the counts of changes that a model shares and that are its own.</summary>
    private float[] Scales(TensorMerge t)
    {
        int models = t.Models;
        float epsilon = (float)Epsilon;
        long[] counts = t.Count(2 * models, (x, count) =>
        {
            TaskVectors.Subtract(x, models);
            for (int at = 0; at < x.Count; at++)
            {
                int active = 0;
                for (int i = 0; i < models; i++) active += MathF.Abs(x[i][at]) > epsilon ? 1 : 0;
                for (int i = 0; i < models; i++)
                    if (MathF.Abs(x[i][at]) > epsilon) count[2 * i + (active > 1 ? 1 : 0)]++;
            }
        });
        return [.. Enumerable.Range(0, models).Select(i => (float)(1 + R * Ratio(shared: counts[2 * i + 1], own: counts[2 * i])))];
    }
}
