namespace Amalgam.Numerics;

/// <summary>
/// The merged units of <see cref="GreedyZip"/> as they grow. Each keeps the number of its first member, and for each the most similar one of those that follow is known, so that a merge
/// looks again only at those whose partner it took.
/// </summary>
internal sealed class ZipClusters
{
    private readonly double[] _similarity;
    private readonly int _n, _models, _units;
    private readonly double _alpha;
    private readonly bool _capped;
    private readonly int[] _alive, _partner, _into, _size;
    private readonly ulong[] _holds, _spent;
    private int _pairs;
    private bool _budgetsLifted, _everythingLifted;

    public ZipClusters(double[] similarity, int models, int units, ZipOptions options, int[] budgets)
    {
        (_similarity, _models, _units, _alpha, _capped) = (similarity, models, units, options.Alpha, options.Capped);
        Count = _n = models * units;
        _alive = [.. Enumerable.Range(0, _n)];
        _into = [.. _alive];
        (_partner, _size, _holds, _spent) = (new int[_n], new int[_n], new ulong[_n], new ulong[_n]);
        for (int unit = 0; unit < _n; unit++)
        {
            (_size[unit], _holds[unit]) = (1, 1UL << Origin(unit));
            if (budgets[Origin(unit)] <= 0) _spent[unit] = _holds[unit];
        }

        LookAgain();
    }

    /// <summary>Number of merged units, single ones among them.</summary>
    public int Count { get; private set; }

    private ReadOnlySpan<int> Alive => _alive.AsSpan(0, Count);

    /// <summary>The model that a merged unit counts as: that of its first member.</summary>
    public int Origin(int cluster) => cluster / _units;

    /// <summary>The pair that may be merged with the largest similarity, the first of equal ones.</summary>
    public (int First, int Second, double Similarity) MostSimilar()
    {
        int best = -1;
        foreach (int cluster in Alive)
        {
            if (_partner[cluster] >= 0 && (best < 0 || Of(cluster, _partner[cluster]) > Of(best, _partner[best]))) best = cluster;
        }

        if (best >= 0) return (best, _partner[best], Of(best, _partner[best]));
        _everythingLifted = _budgetsLifted;
        _budgetsLifted = true;
        LookAgain();
        return MostSimilar();
    }

    /// <summary>Makes two one, which keeps the first's number.</summary>
    public void Merge(int first, int second)
    {
        bool begins = _size[first] == 1 && _size[second] == 1;
        if (begins) _pairs++;
        _size[first] += _size[second];
        _holds[first] |= _holds[second];
        _spent[first] |= _spent[second];
        _into[second] = first;
        Alive[(Alive.IndexOf(second) + 1)..].CopyTo(_alive.AsSpan(Alive.IndexOf(second)));
        Count--;

        double factor = _alpha > 0 ? _alpha : 1;
        foreach (int other in Alive)
        {
            if (other != first) Of(first, other) = Math.Min(Of(first, other), Of(second, other)) * factor;
        }

        if (_capped && begins && _pairs == _units) LookAgain();
        else LookAgain(first, second);
    }

    /// <summary>From now on no two merged units that count as a model, nor what they become part of, may be merged.</summary>
    public void Spend(int model)
    {
        if (_budgetsLifted) return;
        foreach (int cluster in Alive)
        {
            if (Origin(cluster) == model) _spent[cluster] |= 1UL << model;
        }

        LookAgain();
    }

    /// <summary>The merged unit of each unit, numbered from 0.</summary>
    public int[] Numbers()
    {
        int[] numbers = new int[_n];
        for (int unit = 0, count = 0; unit < _n; unit++) numbers[unit] = _into[unit] == unit ? count++ : numbers[_into[unit]];
        return numbers;
    }

    private ref double Of(int a, int b) => ref _similarity[(long)Math.Min(a, b) * _n + Math.Max(a, b)];

    private bool MayMeet(int a, int b)
    {
        if (!_budgetsLifted && (_spent[a] & _spent[b]) != 0) return false;
        if (!_everythingLifted && _alpha <= 0 && _size[a] + _size[b] > 2 && (_holds[a] & _holds[b]) != 0) return false;
        if (!_capped) return true;

        // As many merged units may be begun as one model has units, and only single units join them: so there is room for all at any time.
        return _size[a] == 1 && _size[b] == 1 ? _pairs < _units : Math.Min(_size[a], _size[b]) == 1 && _size[a] + _size[b] <= _models;
    }

    private void LookAgain()
    {
        for (int i = 0; i < Count; i++) LookAgain(i);
    }

    /// <summary>Finds the partner of the merged unit at a place of the list.</summary>
    private void LookAgain(int place)
    {
        int cluster = _alive[place];
        _partner[cluster] = -1;
        double best = double.NegativeInfinity;
        foreach (int other in Alive[(place + 1)..])
        {
            double similarity = _similarity[(long)cluster * _n + other];
            if (similarity > best && MayMeet(cluster, other)) (best, _partner[cluster]) = (similarity, other);
        }
    }

    /// <summary>Finds partners after a merge of two: of those that had one of them, and of the merged one.</summary>
    private void LookAgain(int first, int second)
    {
        for (int i = 0; i < Count && _alive[i] < second; i++)
        {
            int cluster = _alive[i], partner = _partner[cluster];
            if (cluster == first || partner == second || partner == first) LookAgain(i);
            else if (cluster < first && MayMeet(cluster, first) && IsBetter(cluster, first, partner)) _partner[cluster] = first;
        }
    }

    private bool IsBetter(int cluster, int other, int partner) =>
        partner < 0 || Of(cluster, other) > Of(cluster, partner) || (Of(cluster, other) == Of(cluster, partner) && other < partner);
}
