using System.Collections.Immutable;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer;

/// <summary>
/// Writes the weights of a trained network into another one of other depth and width, layer by layer (heterogeneous model transfer, the baseline of CLAFusion, section 4.3): convolutions and dense
/// layers of the main way, with their biases and normalisations. Shortcuts and the output layer stay the target's.
/// </summary>
public static class HeterogeneousTransfer
{
    /// <summary>The pairs of a mapping between layers: what is in a layer of the one network goes to the layer of the other that it belongs to.</summary>
    /// <param name="mapping">Which layers belong together.</param>
    /// <param name="toA">Whether the first network is the target; else the second is.</param>
    public static ImmutableArray<(ChainWeight Source, ChainWeight Target)> ByMapping(LayerMapping mapping, bool toA = true)
    {
        ILookup<NetworkLayer, ChainWeight> source = MainChain.Of(toA ? mapping.B : mapping.A).ToLookup(w => w.Layer), target = MainChain.Of(toA ? mapping.A : mapping.B).ToLookup(w => w.Layer);
        return [.. mapping.Pairs.SelectMany(pair => source[toA ? pair.B : pair.A].Zip(target[toA ? pair.A : pair.B]))];
    }

    /// <summary>The longest chain: convolutions of both networks in order, and dense layers in order, whatever stage they are in; the longer network's last ones get nothing.</summary>
    public static ImmutableArray<(ChainWeight Source, ChainWeight Target)> ByOrder(NetworkLayers source, NetworkLayers target)
    {
        ILookup<bool, ChainWeight> from = MainChain.Of(source).ToLookup(w => w.Weight.Shape.Rank > 2), to = MainChain.Of(target).ToLookup(w => w.Weight.Shape.Rank > 2);
        return [.. from[true].Zip(to[true]), .. from[false].Zip(to[false])];
    }

    /// <summary>The weights of the main way through a network, in order.</summary>
    public static ImmutableArray<ChainWeight> ChainOf(NetworkLayers network) => MainChain.Of(network);

    /// <summary>Makes the target with weights of the source.</summary>
    /// <param name="target">The network that is written to; it stays as it is.</param>
    /// <param name="pairs">Which weights go where.</param>
    /// <param name="share">Share of the source in what is written, from 0 to 1: 1 copies, 0.5 takes the mean with the target's own weights.</param>
    /// <returns>The target's network with weights of its own. To fuse it with the target by transport, copy with a share of 1 and fuse the result.</returns>
    /// <exception cref="GraphException">Two weights have other numbers of axes.</exception>
    public static Graph Apply(Graph target, IEnumerable<(ChainWeight Source, ChainWeight Target)> pairs, double share = 1)
    {
        if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "the share of the source must be from 0 to 1");
        Graph result = Surgery.Copy(target);
        foreach (var (from, to) in pairs)
        {
            if (from.Weight.Shape.Rank != to.Weight.Shape.Rank)
                throw new GraphException($"'{from.Weight.Name}' {from.Weight.Shape} cannot be copied to '{to.Weight.Name}' {to.Weight.Shape}: a kernel goes to a kernel with as many axes");
            Tensor weight = from.Weight.Value!;
            Write(from.IsTurned == to.IsTurned ? weight : Turned(weight), result.Parameters[to.Weight.Name!], share);
            foreach (var (role, parameter) in to.Followers)
            {
                Node? own = from.Followers.FirstOrDefault(follower => follower.Role == role).Parameter;
                if (own is null) continue;
                Tensor vector = own.Value!.Reshape(new(own.Value.Count)), copied = CyclicCopy.Of(vector, new(parameter.Value!.Count));
                Write(copied.Reshape(parameter.Shape), result.Parameters[parameter.Name!], share);
            }
        }

        return result;
    }

    private static void Write(Tensor source, Node target, double share)
    {
        ReadOnlySpan<float> copied = CyclicCopy.Of(source, target.Shape).Span;
        Span<float> to = target.Value!.Span;
        for (int i = 0; i < to.Length; i++) to[i] = share == 1 ? copied[i] : (float)(to[i] + share * ((double)copied[i] - to[i]));
    }

    private static Tensor Turned(Tensor x)
    {
        Tensor y = new(new(x.Shape[1], x.Shape[0]));
        new Transpose([1, 0]).Run([x], y);
        return y;
    }
}
