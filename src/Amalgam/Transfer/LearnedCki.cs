using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Merging;
using Amalgam.Numerics;

namespace Amalgam.Transfer;

/// <summary>
/// Compatibility-aware knowledge integration with a learned local term (CKI, AAAI 2025, in the form of the authors' code): for each pair of models k &lt; l, s = sigmoid(|W_k - W_l| P)
/// with a trainable matrix P, which goes to the first and 1 - s to the second; l_k is the mean over k's pairs (eqs. 4, 14). The global term g is the closed form's (eqs. 5-8, 15),
/// V = g (1 - exp(-g l)) (eqs. 9, 16), the shares are its softmax over the models (eqs. 10, 17). P begins Xavier uniform, so that its sums are near zero and the first model is privileged: s
/// begins at about 1/2 and what is learned is how much more the first gets.
/// P mixes what belongs to the inputs of one output, [in, in], along the axis that the operation sums over, whichever it is; for weights that are made for each sample the outputs, [out, out], as in
/// the code.
/// </summary>
/// <param name="Form">
/// The closed form whose local term is learned: its own local term is not used. A soft splice is the sum of the values times their shares (eqs. 12, 18); a hard one the value with the
/// largest share, the first of equal ones (eq. 11), while its gradient is that of the soft one (straight through). Entropies are those of tensors.
/// </param>
public sealed record LearnedCki(Cki Form) : WeightRule
{
    /// <summary>The soft splice with the authors' constants.</summary>
    public LearnedCki() : this(new Cki())
    {
    }

    /// <summary>The closed form whose local term is learned.</summary>
    public Cki Form { get; } = Form.Entropy == CkiEntropy.Tensor ? Form : throw new MergeException("cki: a learned local term goes with the entropy of each tensor, not of rows or models");

    /// <summary>What the parameters P are named: this and the weight's name.</summary>
    public const string Prefix = "splice/";

    /// <summary>Elements of a P: a gigabyte.</summary>
    private const long MostCompatibilities = 1L << 28;

    /// <summary>The first values of P.</summary>
    public Initialisation Start { get; init; } = Initialisation.XavierUniform;

    public override VectorTreatment Vectors => VectorTreatment.Base;

    public override WeightNodes Express(WeightSite site)
    {
        Node[] local = LocalTerms(site), global = GlobalTerms(site);
        Node[] v = [.. local.Zip(global, (l, g) => Compatibility(Spread(g, l.Shape), l))];
        Node[] shares = Softmax(v);
        Node soft = site.Parents[0];
        for (int k = 1; k < shares.Length; k++) soft += shares[k] * (site.Parents[k] - site.Parents[0]);
        Node value = Form.Splice == CkiSplice.Soft ? soft : site.Graph.Add(new StraightThrough(), Fitted(Largest(v, site.Parents), soft.Shape), soft);
        return new(value, [.. shares], [.. global], [.. local]);
    }

    /// <summary>Eqs. 9 and 16.</summary>
    private static Node Compatibility(Node g, Node l) => g * (1 - (-(g * l)).Exp());

    /// <summary>Eqs. 10 and 17, position by position. V lies within (0, 1), so its exponential needs no care.</summary>
    private static Node[] Softmax(Node[] v)
    {
        if (v.Length == 2)
        {
            Node second = (v[1] - v[0]).Sigmoid();
            return [1 - second, second];
        }

        Node[] e = [.. v.Select(x => x.Exp())];
        Node sum = e.Aggregate((a, b) => a + b);
        return [.. e.Select(x => x / sum)];
    }

    /// <summary>Eq. 11: the value of the model with the largest V, the first of equal ones.</summary>
    private static Node Largest(Node[] v, ImmutableArray<Node> values)
    {
        Node most = v[0], value = values[0];
        for (int k = 1; k < v.Length; k++)
        {
            value = v[k].Graph.Add(new Greater(), v[k], most).Where(values[k], value);
            most = v[k].Max(most);
        }

        return value;
    }

    /// <summary>Eqs. 4, 13 and 14.</summary>
    private Node[] LocalTerms(WeightSite site)
    {
        var w = site.Parents;
        Node?[] sums = new Node?[w.Length];
        Node p = Compatibilities(site);
        for (int k = 0; k < w.Length; k++)
        {
            for (int l = k + 1; l < w.Length; l++)
            {
                Node s = Mixed((w[k] - w[l]).Abs(), p, site).Sigmoid();
                sums[k] = sums[k] is { } ofK ? ofK + s : s;
                sums[l] = sums[l] is { } ofL ? ofL + (1 - s) : 1 - s;
            }
        }

        return w.Length == 2 ? [.. sums.Select(s => s!)] : [.. sums.Select(s => s! * (1f / (w.Length - 1)))];
    }

    private Node Compatibilities(WeightSite site)
    {
        long size = site.Shape[site.IsDynamic ? 0 : site.InputAxis];
        if (size * size > MostCompatibilities)
        {
            throw new GraphException(
                $"'{site.Name}' {site.Shape} needs a matrix [{size},{size}] of compatibilities, {4e-9 * size * size:0.0} GB and as much again for each of its gradient and its moments: leave the weight out, "
                + "or learn coefficients");
        }

        string name = Prefix + site.Name;
        return site.Learned(name, () => Start.Draw(new(size, size), site.Seed, name));
    }

    /// <summary>Differences times P along the axis that P is of.</summary>
    private static Node Mixed(Node difference, Node p, WeightSite site)
    {
        int rank = difference.Shape.Rank, axis = site.IsDynamic ? 1 : site.InputAxis;
        if (site.IsDynamic && site.Shape.Rank != 2) throw new GraphException($"'{site.Name}' {site.Shape} is made for each sample; only matrices [out, in] of such can be spliced");
        if (rank == 1) return difference.Unsqueeze(0).MatMul(p).Squeeze(0);
        if (axis == rank - 1) return difference.MatMul(p);
        int[] inward = [.. Enumerable.Range(0, rank).Where(i => i != axis), axis], back = [.. Enumerable.Range(0, rank).Select(i => Array.IndexOf(inward, i))];
        return difference.Transpose(inward).MatMul(p).Transpose(back);
    }

    /// <summary>Eqs. 8 and 15: numbers for weights that stay, a part of the graph where one is made for each sample.</summary>
    private Node[] GlobalTerms(WeightSite site)
    {
        if (site.Parents.All(parent => parent.Known is not null))
            return [.. Form.Global([.. site.Parents.Select(parent => Histogram.EntropyOf(parent.Known!.Span, Form.Bins))]).Select(g => site.Graph.Constant((float)g))];

        Node[] entropies = [.. site.Parents.Select(parent => site.Graph.Add(new HistogramEntropy(parent.Shape.Rank - site.Shape.Rank, Form.Bins), parent))];
        Node?[] sums = new Node?[entropies.Length];
        for (int k = 0; k < sums.Length; k++)
        {
            for (int l = 0; l < sums.Length; l++)
            {
                if (l == k) continue;
                Node g = ((entropies[k] - entropies[l]) * (float)Form.C).Atan() * (float)(Form.A / Math.PI) + 0.5f;
                sums[k] = sums[k] is { } sum ? sum + g : g;
            }
        }

        return [.. sums.Select(s => s! * (1f / (sums.Length - 1)))];
    }

    /// <summary>A number for each sample under the shape of the samples' weights.</summary>
    private static Node Spread(Node g, Shape to) => g.Shape.Rank == 0 ? g : g.Unsqueeze([.. Enumerable.Range(1, to.Rank - 1)]);

    private static Node Fitted(Node value, Shape shape) => value.Shape == shape ? value : value.Graph.Add(new Broadcast(shape), value);
}
